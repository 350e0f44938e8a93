package gridfold.peer;

import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Folds the telemetry of one partition: state in the store, facts downstream. */
final class FleetProcessor implements Processor<byte[], byte[], byte[], byte[]> {
    private static final String STORE = "assets";

    private final RunMeter meter;
    private final ReadingDecoder decoder = new ReadingDecoder();
    private final Reading reading = new Reading();
    private final AssetState asset = new AssetState();
    private final StateCodec codec = new StateCodec();
    private final EventWriter events;
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<byte[], byte[]> store;
    private Record<byte[], byte[]> cause;

    private FleetProcessor(RunMeter meter) {
        this.meter = meter;
        events = new EventWriter(meter, this::forward);
    }

    static ProcessorSupplier<byte[], byte[], byte[], byte[]> supplier(RunMeter meter) {
        return new ProcessorSupplier<>() {
            @Override
            public Processor<byte[], byte[], byte[], byte[]> get() {
                return new FleetProcessor(meter);
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                var rocks = Stores.persistentKeyValueStore(STORE);
                return Set.of(Stores.keyValueStoreBuilder(rocks, Serdes.ByteArray(), Serdes.ByteArray())
                        .withCachingEnabled());
            }
        };
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        store = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        meter.record();
        byte[] key = record.key();
        if (key == null || !decoder.decode(record.value(), reading)) {
            meter.rejected.increment();
            return;
        }
        byte[] stored = store.get(key);
        if (stored == null) asset.clear();
        else codec.decode(stored, asset);
        cause = record;
        beginEvents(record);
        switch (PowerwallFold.fold(asset, reading, events)) {
            case DUPLICATE -> meter.duplicates.increment();
            case LATE -> meter.late.increment();
            case APPLIED -> {}
        }
        store.put(key, codec.encode(asset));
    }

    private void beginEvents(Record<byte[], byte[]> record) {
        RecordMetadata at = context.recordMetadata().orElseThrow();
        long received = reading.receiveTime == Reading.NO_TIME ? record.timestamp() : reading.receiveTime;
        events.begin(at.topic(), at.partition(), at.offset(), record.key(), received, asset);
    }

    private void forward(byte[] event) {
        context.forward(cause.withValue(event));
    }
}
