package gridfold.peer;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/** Where a topic ended at the start of the run, read committed, and whether a group has got there. */
final class TopicEnds {
    private static final long POLL_MS = 50;
    final Map<TopicPartition, Long> ends;

    private TopicEnds(Map<TopicPartition, Long> ends) {
        this.ends = ends;
    }

    static TopicEnds of(Admin admin, String topic) throws ExecutionException, InterruptedException {
        var description = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        var asked = description.partitions().stream()
                .collect(Collectors.toMap(p -> new TopicPartition(topic, p.partition()), p -> OffsetSpec.latest()));
        var answer = admin.listOffsets(asked, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all().get();
        return new TopicEnds(answer.entrySet().stream()
                .filter(e -> e.getValue().offset() > 0)
                .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().offset())));
    }

    /** Returns when the group has committed everything up to the ends. */
    void awaitCommitted(Admin admin, String group) throws ExecutionException, InterruptedException {
        while (!areReached(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get())) {
            Thread.sleep(POLL_MS);
        }
    }

    private boolean areReached(Map<TopicPartition, OffsetAndMetadata> committed) {
        return ends.entrySet().stream().allMatch(end -> {
            OffsetAndMetadata at = committed.get(end.getKey());
            return at != null && at.offset() >= end.getValue();
        });
    }
}
