import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLongArray;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamUtils;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.legacy.RichSinkFunction;
import org.apache.flink.streaming.api.functions.source.legacy.RichParallelSourceFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.util.Collector;

/**
 * Flink's local cluster: {@code FlinkPeer WORKLOAD SECONDS [WORKERS]}.
 *
 * <p>The virtual machine first compiles its hot loops, so the sinks are read after a warm-up and
 * again SECONDS later. Then the sources end, the job finishes, and the sums of the whole job are
 * compared with what the sources emitted.
 */
public class FlinkPeer {
    static final long WARM_UP_MS = 4_000;
    static final int SENTENCES = 1000, VOCABULARY = 1000, WORDS_PER_SENTENCE = 10;

    /** Counts 0, 1, 2, .. until the run is over. */
    static class Numbers extends RichParallelSourceFunction<Long> {
        static volatile boolean over = false;
        static final List<Long> EMITTED = new CopyOnWriteArrayList<>();

        @Override
        public void run(SourceContext<Long> out) {
            long next = 0;
            for (; !over; next++) out.collect(next);
            EMITTED.add(next);
        }

        @Override
        public void cancel() {
            over = true;
        }
    }

    /** The same as sentences, drawn as README.md says. */
    static class Sentences extends RichParallelSourceFunction<String> {
        @Override
        public void run(SourceContext<String> out) {
            String[] sentences = sentences();
            long next = 0;
            for (; !Numbers.over; next++) out.collect(sentences[(int) (next % SENTENCES)]);
            Numbers.EMITTED.add(next);
        }

        @Override
        public void cancel() {
            Numbers.over = true;
        }
    }

    /** The share of one source of all events: key, time. */
    static class Events extends RichParallelSourceFunction<Tuple2<Long, Long>> {
        @Override
        public void run(SourceContext<Tuple2<Long, Long>> out) {
            var task = getRuntimeContext().getTaskInfo();
            long index = task.getIndexOfThisSubtask();
            long sources = task.getNumberOfParallelSubtasks();
            long next = 0;
            for (; !Numbers.over; next++) {
                long event = next * sources + index;
                out.collect(Tuple2.of(key(event), event / EVENTS_PER_MS));
            }
            Numbers.EMITTED.add(next);
            SHARES.add(new long[] {next, index, sources});
        }

        @Override
        public void cancel() {
            Numbers.over = true;
        }
    }

    static final long EVENTS_PER_MS = 1000, WINDOW_MS = 1000;
    static final List<long[]> SHARES = new CopyOnWriteArrayList<>();

    static long key(long event) {
        return (event * 2654435761L & 0xffffffffL) % 1000;
    }

    /** What each event of a key in a window adds to the checksum. */
    static long weight(long key, long time) {
        return (key + 1) * (time / WINDOW_MS + 1);
    }

    /** Key, time of some event, count. */
    static class Count
            implements AggregateFunction<Tuple2<Long, Long>, Tuple3<Long, Long, Long>,
                    Tuple3<Long, Long, Long>> {
        @Override
        public Tuple3<Long, Long, Long> createAccumulator() {
            return Tuple3.of(0L, 0L, 0L);
        }

        @Override
        public Tuple3<Long, Long, Long> add(
                Tuple2<Long, Long> event, Tuple3<Long, Long, Long> counted) {
            counted.f0 = event.f0;
            counted.f1 = event.f1;
            counted.f2++;
            return counted;
        }

        @Override
        public Tuple3<Long, Long, Long> getResult(Tuple3<Long, Long, Long> counted) {
            return counted;
        }

        @Override
        public Tuple3<Long, Long, Long> merge(
                Tuple3<Long, Long, Long> one, Tuple3<Long, Long, Long> other) {
            one.f2 += other.f2;
            return one;
        }
    }

    /** Sums what arrives; publishes its count now and then, its checksum at the end. */
    abstract static class Sum<T> extends RichSinkFunction<T> {
        static final int SINKS_MAX = 64, CACHE_LINE = 16, PUBLISH_EVERY = 256;
        static final AtomicLongArray TUPLES = new AtomicLongArray(SINKS_MAX * CACHE_LINE);
        static final AtomicLongArray CHECKSUMS = new AtomicLongArray(SINKS_MAX);
        private long tuples, taken, checksum;
        private int sink;

        abstract long value(T tuple);

        /** How many tuples it stands for. */
        long tuples(T tuple) {
            return 1;
        }

        @Override
        public void open(OpenContext context) {
            sink = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
        }

        @Override
        public void invoke(T tuple, Context context) {
            checksum += value(tuple);
            tuples += tuples(tuple);
            if (++taken % PUBLISH_EVERY == 0) TUPLES.lazySet(sink * CACHE_LINE, tuples);
        }

        @Override
        public void close() {
            TUPLES.set(sink * CACHE_LINE, tuples);
            CHECKSUMS.set(sink, checksum);
        }

        static long total(AtomicLongArray sinks) {
            long total = 0;
            for (int i = 0; i < sinks.length(); i++) total += sinks.get(i);
            return total;
        }
    }

    static class NumberSum extends Sum<Long> {
        @Override
        long value(Long number) {
            return number;
        }
    }

    static class CountSum extends Sum<Tuple2<String, Long>> {
        @Override
        long value(Tuple2<String, Long> counted) {
            return counted.f1;
        }
    }

    static class WindowSum extends Sum<Tuple3<Long, Long, Long>> {
        @Override
        long value(Tuple3<Long, Long, Long> window) {
            return window.f2 * weight(window.f0, window.f1);
        }

        @Override
        long tuples(Tuple3<Long, Long, Long> window) {
            return window.f2;
        }
    }

    static long lcg;

    static int below(int bound) {
        lcg = lcg * 6364136223846793005L + 1442695040888963407L;
        return (int) ((lcg >>> 33) % bound);
    }

    static synchronized String[] sentences() {
        lcg = 42;
        String[] vocabulary = new String[VOCABULARY];
        for (int i = 0; i < VOCABULARY; i++) {
            char[] word = new char[3 + below(7)];
            for (int j = 0; j < word.length; j++) word[j] = (char) ('a' + below(26));
            vocabulary[i] = new String(word);
        }
        String[] sentences = new String[SENTENCES];
        for (int i = 0; i < SENTENCES; i++) {
            String[] words = new String[WORDS_PER_SENTENCE];
            for (int j = 0; j < words.length; j++) words[j] = vocabulary[below(VOCABULARY)];
            sentences[i] = String.join(" ", words);
        }
        return sentences;
    }

    static void split(String sentence, Collector<Tuple2<String, Long>> out) {
        int start = 0;
        for (int end; (end = sentence.indexOf(' ', start)) >= 0; start = end + 1) {
            out.collect(Tuple2.of(sentence.substring(start, end), 1L));
        }
        out.collect(Tuple2.of(sentence.substring(start), 1L));
    }

    static void build(StreamExecutionEnvironment env, String workload, boolean handsOver) {
        if (workload.equals("w3")) {
            var words = env.addSource(new Sentences(), Types.STRING)
                    .flatMap(FlinkPeer::split)
                    .returns(Types.TUPLE(Types.STRING, Types.LONG));
            // A lone worker owns every key, so nothing has to be sent and all may be one chain.
            KeyedStream<Tuple2<String, Long>, String> byWord = handsOver
                    ? words.keyBy(word -> word.f0, Types.STRING)
                    : DataStreamUtils.reinterpretAsKeyedStream(words, w -> w.f0, Types.STRING);
            byWord.sum(1).addSink(new CountSum());
            return;
        }
        if (workload.equals("w4")) {
            var strategy = WatermarkStrategy.<Tuple2<Long, Long>>forMonotonousTimestamps()
                    .withTimestampAssigner((event, ignored) -> event.f1);
            TypeInformation<Tuple3<Long, Long, Long>> window =
                    Types.TUPLE(Types.LONG, Types.LONG, Types.LONG);
            var events = env.addSource(new Events(), Types.TUPLE(Types.LONG, Types.LONG))
                    .assignTimestampsAndWatermarks(strategy);
            KeyedStream<Tuple2<Long, Long>, Long> byKey = handsOver
                    ? events.keyBy(event -> event.f0, Types.LONG)
                    : DataStreamUtils.reinterpretAsKeyedStream(events, e -> e.f0, Types.LONG);
            byKey.window(TumblingEventTimeWindows.of(Duration.ofMillis(WINDOW_MS)))
                    .aggregate(new Count(), window, window)
                    .addSink(new WindowSum());
            return;
        }
        DataStream<Long> numbers = env.addSource(new Numbers(), Types.LONG);
        if (workload.startsWith("w2")) numbers = numbers.map(n -> n ^ 1L).returns(Types.LONG);
        if (handsOver) numbers = numbers.rebalance();
        numbers.addSink(new NumberSum());
    }

    /** Tuples and checksum that the sinks must have seen. */
    static long[] expected(String workload) {
        long tuples = 0, checksum = 0;
        if (workload.equals("w4")) {
            for (long[] share : SHARES) {
                tuples += share[0];
                for (long n = 0; n < share[0]; n++) {
                    long event = n * share[2] + share[1];
                    checksum += weight(key(event), event / EVENTS_PER_MS);
                }
            }
            return new long[] {tuples, checksum};
        }
        Map<String, Long> counts = new HashMap<>();
        String[] sentences = workload.equals("w3") ? sentences() : new String[0];
        for (long n : Numbers.EMITTED) {
            tuples += n;
            // 0 + 1 + .. + (n - 1); after `n ^ 1` an unpaired last number is one more.
            checksum += upTo(n - 1) + (workload.startsWith("w2") ? n % 2 : 0);
            for (int i = 0; i < sentences.length; i++) {
                long times = n / SENTENCES + (i < n % SENTENCES ? 1 : 0);
                for (String word : sentences[i].split(" ")) counts.merge(word, times, Long::sum);
            }
        }
        if (!workload.equals("w3")) return new long[] {tuples, checksum};
        long counted = counts.values().stream().mapToLong(FlinkPeer::upTo).sum();
        return new long[] {tuples * WORDS_PER_SENTENCE, counted};
    }

    /** 1 + 2 + .. + n, modulo 2^64. */
    static long upTo(long n) {
        return n % 2 == 0 ? n / 2 * (n + 1) : (n + 1) / 2 * n;
    }

    public static void main(String[] args) throws Exception {
        String workload = args.length < 2 ? "" : args[0];
        if (!workload.matches("w1|w1x|w2|w2x|w3|w4")) {
            System.err.println("usage: w1|w1x|w2|w2x|w3|w4 SECONDS [WORKERS]");
            System.exit(2);
        }
        int workers = args.length > 2 ? Integer.parseInt(args[2]) : 1;
        boolean handsOver = workload.endsWith("x") || workload.matches("w3|w4") && workers > 1;

        Configuration configuration = new Configuration();
        configuration.set(TaskManagerOptions.NUM_TASK_SLOTS, workers);
        var env = StreamExecutionEnvironment.createLocalEnvironment(workers, configuration);
        env.getConfig().enableObjectReuse();
        build(env, workload, handsOver);
        var job = env.executeAsync("peer");
        while (Sum.total(Sum.TUPLES) == 0 && !job.getJobStatus().get().isTerminalState()) {
            Thread.sleep(10);
        }
        Thread.sleep(WARM_UP_MS);

        var system = (com.sun.management.OperatingSystemMXBean)
                ManagementFactory.getOperatingSystemMXBean();
        long start = System.nanoTime(), cpuStart = system.getProcessCpuTime();
        long tuplesStart = Sum.total(Sum.TUPLES);
        Thread.sleep((long) (Double.parseDouble(args[1]) * 1000));
        long tuples = Sum.total(Sum.TUPLES) - tuplesStart;
        double seconds = (System.nanoTime() - start) / 1e9;
        double cpuSeconds = (system.getProcessCpuTime() - cpuStart) / 1e9;

        Numbers.over = true;
        job.getJobExecutionResult().get();
        long[] seen = {Sum.total(Sum.TUPLES), Sum.total(Sum.CHECKSUMS)};
        if (!Arrays.equals(seen, expected(workload))) {
            System.err.printf("flink: saw %s, expected %s%n",
                    Arrays.toString(seen), Arrays.toString(expected(workload)));
            System.exit(1);
        }
        System.out.printf(Locale.ROOT, "{\"engine\":\"flink\",\"version\":\"%s\","
                + "\"workload\":\"%s\",\"mode\":\"%s\",\"setting\":\"object reuse\","
                + "\"threads\":%d,\"tuples\":%d,\"seconds\":%.3f,\"tuples_per_second\":%.0f,"
                + "\"cpu_seconds\":%.2f,\"checksum\":%d}%n",
                EnvironmentInformation.getVersion(), workload, handsOver ? "handover" : "fused",
                handsOver || workload.equals("w4") ? 2 * workers : workers, tuples, seconds, tuples / seconds,
                cpuSeconds, seen[1]);
        System.exit(0);
    }
}
