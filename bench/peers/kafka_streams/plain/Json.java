package plain;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** Values of a class as JSON, by Jackson: of events, of stores and of outputs. */
final class Json<T> {
    private static final ObjectMapper MAPPER =
        new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

    private final ObjectReader reader;
    private final ObjectWriter writer;

    Json(Class<T> type) {
        reader = MAPPER.readerFor(type);
        writer = MAPPER.writerFor(type);
    }

    static <T> Serde<T> serde(Class<T> type) {
        Json<T> json = new Json<>(type);
        return Serdes.serdeFrom(
            (topic, value) -> value == null ? null : json.write(value),
            (topic, bytes) -> bytes == null ? null : json.read(bytes));
    }

    T read(byte[] value) {
        try {
            return reader.readValue(value);
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }

    byte[] write(T value) {
        try {
            return writer.writeValueAsBytes(value);
        } catch (JsonProcessingException problem) {
            throw new UncheckedIOException(problem);
        }
    }
}
