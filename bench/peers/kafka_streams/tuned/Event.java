package tuned;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;

/** One event, read and validated by Jackson's streaming parser; used again for the next one. */
final class Event {
    static final byte START = 1;
    static final byte UPDATE = 2;
    static final byte END = 3;

    private static final JsonFactory JSON = new JsonFactory();
    private static final String[] STATUSES =
        {"free", "occupied", "reserved", "unavailable", "faulted"};

    String stationId;
    String sessionId;
    String userId;
    long atMicros;
    byte kind;
    byte status;
    int connectorId;
    double energyKwh;
    double powerKw;
    double socPercent;

    /** Raises IllegalArgumentException, which ends the program: the stream has no invalid event. */
    void read(byte[] value) {
        stationId = null;
        sessionId = null;
        userId = null;
        atMicros = Long.MIN_VALUE;
        kind = 0;
        status = -1;
        connectorId = -1;
        energyKwh = Double.NaN;
        powerKw = Double.NaN;
        socPercent = Double.NaN;
        try (JsonParser parser = JSON.createParser(value)) {
            require(parser.nextToken() == JsonToken.START_OBJECT, "not an object");
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                JsonToken token = parser.nextToken();
                if (token != JsonToken.VALUE_NULL) {
                    field(name, parser, token);
                }
            }
            require(parser.nextToken() == null, "more than an object");
        } catch (IOException problem) {
            throw new IllegalArgumentException(problem);
        }
    }

    /** What a session's event says, in a compact form of fixed fields. */
    byte[] encode() {
        return ByteBuffer.allocate(1 + 4 + 4 * 8)
            .put(kind)
            .putInt(connectorId)
            .putLong(atMicros)
            .putDouble(energyKwh)
            .putDouble(powerKw)
            .putDouble(socPercent)
            .array();
    }

    void requireStatus() {
        require(stationId != null && atMicros != Long.MIN_VALUE && status >= 0, "missing field");
    }

    void requireSession() {
        require(
            stationId != null && sessionId != null && atMicros != Long.MIN_VALUE && kind != 0,
            "missing field");
    }

    private void field(String name, JsonParser parser, JsonToken token) throws IOException {
        switch (name) {
            case "station_id" -> stationId = id(parser, token);
            case "session_id" -> sessionId = id(parser, token);
            case "user_id" -> userId = id(parser, token);
            case "event_id" -> id(parser, token);
            case "timestamp" -> atMicros = Instants.micros(text(parser, token));
            case "status" -> status = statusOf(text(parser, token));
            case "event" -> kind = kindOf(text(parser, token));
            case "connector_id" -> connectorId = (int) whole(parser, token, 0, 1000);
            case "seq" -> whole(parser, token, Long.MIN_VALUE, Long.MAX_VALUE);
            case "energy_kwh" -> energyKwh = number(parser, token, 0, 1e9);
            case "meter_kwh" -> number(parser, token, 0, 1e9);
            case "power_kw" -> powerKw = number(parser, token, -1e5, 1e5);
            case "current_a" -> number(parser, token, -1e5, 1e5);
            case "soc_percent" -> socPercent = number(parser, token, 0, 100);
            case "reason" -> text(parser, token);
            default -> parser.skipChildren();
        }
    }

    private static String text(JsonParser parser, JsonToken token) throws IOException {
        require(token == JsonToken.VALUE_STRING, "not a text");
        return parser.getText();
    }

    private static String id(JsonParser parser, JsonToken token) throws IOException {
        String text = text(parser, token);
        require(!text.isEmpty() && text.length() <= 64, "not an id");
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            boolean letter = c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9';
            require(letter || "._:*~+@-".indexOf(c) >= 0, "not an id");
        }
        return text;
    }

    private static long whole(JsonParser parser, JsonToken token, long least, long most)
            throws IOException {
        require(token == JsonToken.VALUE_NUMBER_INT, "not a whole number");
        long number = parser.getLongValue();
        require(number >= least && number <= most, "out of range");
        return number;
    }

    private static double number(JsonParser parser, JsonToken token, double least, double most)
            throws IOException {
        require(
            token == JsonToken.VALUE_NUMBER_FLOAT || token == JsonToken.VALUE_NUMBER_INT,
            "not a number");
        double number = parser.getDoubleValue();
        require(number >= least && number <= most, "out of range");
        return number;
    }

    private static byte statusOf(String text) {
        for (byte at = 0; at < STATUSES.length; at++) {
            if (STATUSES[at].equals(text)) {
                return at;
            }
        }
        throw new IllegalArgumentException("not a status");
    }

    private static byte kindOf(String text) {
        return switch (text) {
            case "session_start" -> START;
            case "session_update" -> UPDATE;
            case "session_end" -> END;
            default -> throw new IllegalArgumentException("not a session's event");
        };
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }
}
