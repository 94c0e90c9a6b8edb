#!/bin/sh
# Usage: flink/run.sh BUILD_DIR [WORKLOAD SECONDS [WORKERS]]
# Compiles when the source is newer than the classes; with a workload, also runs it.
# BUILD_DIR/flink/lib holds the jars (python3 benches/peers/run.py --build BUILD_DIR).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1/flink
shift
classpath=$build/classes:$build/lib/*

if [ ! "$build/classes/FlinkPeer.class" -nt "$here/FlinkPeer.java" ]; then
    javac -XDsuppressNotes -cp "$classpath" -d "$build/classes" "$here/FlinkPeer.java"
fi
[ $# -gt 0 ] || exit 0
exec java -Xms4g -Xmx4g -XX:+UseParallelGC -Dlog4j2.level=ERROR \
    --add-opens=java.base/java.util=ALL-UNNAMED \
    --add-opens=java.base/java.lang=ALL-UNNAMED \
    --add-opens=java.base/java.time=ALL-UNNAMED \
    -cp "$classpath" FlinkPeer "$@"
