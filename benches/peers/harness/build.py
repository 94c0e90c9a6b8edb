"""Builds every peer into a scratch folder; one that cannot be built does not stop the others."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from harness.peers import HERE

FLINK_WHEEL = "apache-flink-libraries==2.3.0"
FLINK_JARS = ("flink-dist-", "log4j-api-", "log4j-core-", "log4j-slf4j-impl-")


def build_all(build):
    for folder in ("bin", "flink/lib", "flink/classes", "wheel"):
        (build / folder).mkdir(parents=True, exist_ok=True)
    steps = {
        "ping-pong": lambda: _cargo(build, "kit", "ping-pong", "ping-pong"),
        "timely": lambda: _cargo(build, "timely", "peer-timely", "timely"),
        "timely-mimalloc": lambda: _cargo(
            build, "timely", "peer-timely", "timely-mimalloc", "--features=mimalloc"
        ),
        "renoir": lambda: _cargo(build, "renoir", "peer-renoir", "renoir"),
        "renoir-mimalloc": lambda: _cargo(
            build, "renoir", "peer-renoir", "renoir-mimalloc", "--features=mimalloc"
        ),
        "flink": lambda: _flink(build),
    }
    failed = [name for name, step in steps.items() if not _succeeds(name, step)]
    if failed:
        sys.exit(f"not built: {', '.join(failed)}")


def _succeeds(name, step):
    print(f"building {name}", file=sys.stderr)
    try:
        step()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return False
    return True


def _cargo(build, package, binary, name, *features):
    target = build / "target"
    manifest = HERE / package / "Cargo.toml"
    subprocess.run(
        ["cargo", "build", "--release", "--locked", "--bin", binary, *features]
        + ["--manifest-path", str(manifest), "--target-dir", str(target)],
        check=True,
    )
    shutil.copy2(target / "release" / binary, build / "bin" / name)


def _flink(build):
    lib = build / "flink/lib"
    if not any(lib.iterdir()):
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(build / "wheel")]
        subprocess.run([*pip, FLINK_WHEEL], check=True)
        wheel = next((build / "wheel").glob("apache_flink_libraries-*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            for member in map(Path, archive.namelist()):
                if member.name.startswith(FLINK_JARS):
                    (lib / member.name).write_bytes(archive.read(str(member)))
    subprocess.run([str(HERE / "flink/run.sh"), str(build)], check=True)
