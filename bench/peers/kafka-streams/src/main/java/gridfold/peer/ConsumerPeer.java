package gridfold.peer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The least that any consumer does: decodes each value and drops it. */
final class ConsumerPeer {
    static void run(PeerOptions options, RunMeter meter) throws Exception {
        try (var admin = Admin.create(Map.of("bootstrap.servers", options.brokers()))) {
            var shares = shares(TopicEnds.of(admin, options.topic()).ends, options.threads());
            var threads = Executors.newFixedThreadPool(options.threads());
            try {
                for (var done : threads.invokeAll(consumers(shares, options, meter))) done.get();
            } finally {
                threads.shutdownNow();
            }
        }
        System.out.println(meter.report());
    }

    private static List<Map<TopicPartition, Long>> shares(Map<TopicPartition, Long> ends, int threads) {
        List<Map<TopicPartition, Long>> shares = new ArrayList<>();
        for (int i = 0; i < threads; i++) shares.add(new HashMap<>());
        ends.forEach((partition, end) -> shares.get(partition.partition() % threads).put(partition, end));
        return shares;
    }

    private static List<Callable<Void>> consumers(
            List<Map<TopicPartition, Long>> shares, PeerOptions options, RunMeter meter) {
        return shares.stream().<Callable<Void>>map(share -> () -> {
            consume(share, options, meter);
            return null;
        }).toList();
    }

    private static void consume(Map<TopicPartition, Long> ends, PeerOptions options, RunMeter meter) {
        var decoder = new ReadingDecoder();
        var reading = new Reading();
        try (var consumer = new KafkaConsumer<byte[], byte[]>(config(options))) {
            consumer.assign(ends.keySet());
            consumer.seekToBeginning(ends.keySet());
            while (!ends.entrySet().stream().allMatch(e -> consumer.position(e.getKey()) >= e.getValue())) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    meter.record();
                    if (!decoder.decode(record.value(), reading)) meter.rejected.increment();
                }
            }
        }
    }

    private static Properties config(PeerOptions options) {
        var config = new Properties();
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, options.brokers());
        config.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        config.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10_000);
        return config;
    }

    private ConsumerPeer() {}
}
