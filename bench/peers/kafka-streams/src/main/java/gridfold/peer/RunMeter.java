package gridfold.peer;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** Counts and times one run, from the first record on. */
final class RunMeter {
    private static final OperatingSystemMXBean PROCESS =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final long NOT_BEGUN = Long.MIN_VALUE;

    final LongAdder records = new LongAdder();
    final LongAdder derived = new LongAdder();
    final LongAdder transitions = new LongAdder();
    final LongAdder duplicates = new LongAdder();
    final LongAdder late = new LongAdder();
    final LongAdder rejected = new LongAdder();
    private final AtomicLong beganNs = new AtomicLong(NOT_BEGUN);
    private volatile long cpuAtStartNs;

    /** A record is about to be used. */
    void record() {
        if (beganNs.get() == NOT_BEGUN) begin();
        records.increment();
    }

    private void begin() {
        long cpuNs = PROCESS.getProcessCpuTime();
        if (beganNs.compareAndSet(NOT_BEGUN, System.nanoTime())) cpuAtStartNs = cpuNs;
    }

    /** What happened until now, as one line of JSON. */
    String report() {
        long count = records.sum();
        double seconds = beganNs.get() == NOT_BEGUN ? 0 : (System.nanoTime() - beganNs.get()) / 1e9;
        double cpuSeconds = (PROCESS.getProcessCpuTime() - cpuAtStartNs) / 1e9;
        return "{\"records\":" + count + ",\"seconds\":" + seconds
                + ",\"recordsPerSecond\":" + (seconds == 0 ? 0 : Math.round(count / seconds))
                + ",\"derived\":" + derived.sum() + ",\"cpuSeconds\":" + cpuSeconds
                + ",\"transitions\":" + transitions.sum() + ",\"duplicates\":" + duplicates.sum()
                + ",\"late\":" + late.sum() + ",\"rejected\":" + rejected.sum() + "}";
    }
}
