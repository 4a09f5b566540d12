package job;

import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.StoreBuilder;

/**
 * The job in Kafka Streams: one thread, RocksDB stores with caches and changelogs.
 *
 * With --warm-prefix it first does the same job over another stream in the same JVM, until
 * --warm-events are done, so that what is measured afterwards is compiled code. --commit-ms replaces the
 * default commit interval, where nothing is measured and somebody waits for the commit. --without-records
 * leaves out the records of the sessions, which is less than the job.
 */
public final class Main {
    public static void main(String[] given) throws Exception {
        Map<String, String> job = arguments(given);
        if (job.containsKey("warm-prefix")) {
            long events = Long.parseLong(job.get("warm-events"));
            // Of its own each time: what an earlier one has done would not be done again.
            String suffix = "-warm-" + System.currentTimeMillis();
            try (KafkaStreams warm = streams(job, job.get("warm-prefix"), "-warm", suffix)) {
                warm.start();
                while (Done.events.get() < events) {
                    Thread.sleep(20);
                }
            }
        }
        KafkaStreams streams = streams(job, job.get("prefix"), "", "");
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        Thread.currentThread().join();
    }

    private static KafkaStreams streams(
            Map<String, String> job, String prefix, String output, String suffix) {
        KafkaStreams streams =
            new KafkaStreams(topology(job, prefix, job.get("output") + output), settings(job, suffix));
        streams.setUncaughtExceptionHandler(problem -> {
            problem.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        return streams;
    }

    private static Topology topology(Map<String, String> job, String prefix, String output) {
        boolean byHand = job.get("code").equals("tuned");
        boolean keepsRecords = !job.containsKey("without-records");
        StringDeserializer key = new StringDeserializer();
        ByteArrayDeserializer value = new ByteArrayDeserializer();
        Topology topology = new Topology()
            .addSource("status", key, value, prefix + "station-status")
            .addSource("events", key, value, prefix + "charging-sessions");
        if (byHand) {
            topology
                .addProcessor("stations", tuned.StationStatus::new, "status")
                .addProcessor("sessions", tuned.Sessions::new, "events")
                .addStateStore(kept(tuned.StationStatus.store()), "stations")
                .addStateStore(kept(tuned.Sessions.store()), "sessions")
                .addStateStore(logged(tuned.Sessions.records()), "sessions");
        } else {
            topology
                .addProcessor("stations", plain.StationStatus::new, "status")
                .addProcessor("sessions", () -> new plain.Sessions(keepsRecords), "events")
                .addStateStore(kept(plain.StationStatus.store()), "stations")
                .addStateStore(kept(plain.Sessions.store()), "sessions");
            if (keepsRecords) {
                topology.addStateStore(logged(plain.Sessions.records()), "sessions");
            }
        }
        return topology
            .addSink("ended", output, new StringSerializer(), new ByteArraySerializer(), "sessions");
    }

    private static <S extends StateStore> StoreBuilder<S> kept(StoreBuilder<S> store) {
        return logged(store.withCachingEnabled());
    }

    /** What is written once is not cached: it would only drive out what is read again. */
    private static <S extends StateStore> StoreBuilder<S> logged(StoreBuilder<S> store) {
        return store.withLoggingEnabled(Map.of());
    }

    private static Properties settings(Map<String, String> job, String suffix) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, job.get("group") + suffix);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, job.get("bootstrap"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, job.get("directory") + suffix);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        boolean exactly = job.get("guarantee").equals("exactly-once");
        settings.put(
            StreamsConfig.PROCESSING_GUARANTEE_CONFIG,
            exactly ? StreamsConfig.EXACTLY_ONCE_V2 : StreamsConfig.AT_LEAST_ONCE);
        if (job.containsKey("commit-ms")) {
            settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, job.get("commit-ms"));
        }
        // The default of 10 MiB is full with a few thousand stations, and then writes for each event.
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 128L << 20);
        settings.put(
            StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        // Kafka Streams does not leave its group when it is closed: the next start waits for this long.
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 6000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), 2000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5000);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 << 10);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
        return settings;
    }

    private static Map<String, String> arguments(String[] given) {
        Map<String, String> job = new HashMap<>();
        for (String each : given) {
            String[] pair = each.substring(2).split("=", 2);
            job.put(pair[0], pair.length > 1 ? pair[1] : "");
        }
        return job;
    }
}
