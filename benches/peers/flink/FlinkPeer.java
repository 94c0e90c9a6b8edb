import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLongArray;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamUtils;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.legacy.RichSinkFunction;
import org.apache.flink.streaming.api.functions.source.legacy.RichParallelSourceFunction;
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

    /** Sums what arrives; publishes its count now and then, its checksum at the end. */
    abstract static class Sum<T> extends RichSinkFunction<T> {
        static final int SINKS_MAX = 64, CACHE_LINE = 16, PUBLISH_EVERY = 256;
        static final AtomicLongArray TUPLES = new AtomicLongArray(SINKS_MAX * CACHE_LINE);
        static final AtomicLongArray CHECKSUMS = new AtomicLongArray(SINKS_MAX);
        private long tuples, checksum;
        private int sink;

        abstract long value(T tuple);

        @Override
        public void open(OpenContext context) {
            sink = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
        }

        @Override
        public void invoke(T tuple, Context context) {
            checksum += value(tuple);
            if (++tuples % PUBLISH_EVERY == 0) TUPLES.lazySet(sink * CACHE_LINE, tuples);
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
        DataStream<Long> numbers = env.addSource(new Numbers(), Types.LONG);
        if (workload.startsWith("w2")) numbers = numbers.map(n -> n ^ 1L).returns(Types.LONG);
        if (handsOver) numbers = numbers.rebalance();
        numbers.addSink(new NumberSum());
    }

    /** Tuples and checksum that the sinks must have seen. */
    static long[] expected(String workload) {
        long tuples = 0, checksum = 0;
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
        if (!workload.matches("w1|w1x|w2|w2x|w3")) {
            System.err.println("usage: w1|w1x|w2|w2x|w3 SECONDS [WORKERS]");
            System.exit(2);
        }
        int workers = args.length > 2 ? Integer.parseInt(args[2]) : 1;
        boolean handsOver = workload.endsWith("x") || workload.equals("w3") && workers > 1;

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
                handsOver ? 2 * workers : workers, tuples, seconds, tuples / seconds,
                cpuSeconds, seen[1]);
        System.exit(0);
    }
}
