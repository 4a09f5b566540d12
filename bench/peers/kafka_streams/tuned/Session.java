package tuned;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** A session's state, in a compact form of fixed fields and the user's id. */
final class Session {
    private static final int FIXED = 4 + 4 * 8 + 2 * 8 + 4 + 1;
    private static final byte DECREASED = 1;

    private int records;
    private long startedMicros = Long.MIN_VALUE;
    private long updatedMicros;
    private long endedMicros = Long.MIN_VALUE;
    private double energyKwh = Double.NaN;
    private double powerKw = Double.NaN;
    private double socPercent = Double.NaN;
    private int connectorId = 1;
    private byte held;
    private String userId = "";

    static Session decode(byte[] value) {
        Session session = new Session();
        if (value != null) {
            ByteBuffer from = ByteBuffer.wrap(value);
            session.records = from.getInt();
            session.startedMicros = from.getLong();
            session.updatedMicros = from.getLong();
            session.endedMicros = from.getLong();
            session.energyKwh = from.getDouble();
            session.powerKw = from.getDouble();
            session.socPercent = from.getDouble();
            session.connectorId = from.getInt();
            session.held = from.get();
            session.userId =
                new String(value, FIXED, value.length - FIXED, StandardCharsets.ISO_8859_1);
        }
        return session;
    }

    byte[] encode() {
        byte[] user = userId.getBytes(StandardCharsets.ISO_8859_1);
        return ByteBuffer.allocate(FIXED + user.length)
            .putInt(records)
            .putLong(startedMicros)
            .putLong(updatedMicros)
            .putLong(endedMicros)
            .putDouble(energyKwh)
            .putDouble(powerKw)
            .putDouble(socPercent)
            .putInt(connectorId)
            .put(held)
            .put(user)
            .array();
    }

    /** How many records it has. */
    int records() {
        return records;
    }

    /** Takes an event in; returns whether it ended the session. */
    boolean advance(Event event) {
        records++;
        if (event.kind == Event.START || startedMicros == Long.MIN_VALUE) {
            startedMicros = event.atMicros;
        }
        if (event.connectorId >= 0) {
            connectorId = event.connectorId;
        }
        if (event.userId != null) {
            userId = event.userId;
        }
        if (!Double.isNaN(event.powerKw)) {
            powerKw = event.powerKw;
        }
        if (!Double.isNaN(event.socPercent)) {
            socPercent = event.socPercent;
        }
        if (!Double.isNaN(event.energyKwh)) {
            if (event.energyKwh < energyKwh) {
                held = DECREASED;
            }
            energyKwh = event.energyKwh;
        }
        updatedMicros = event.atMicros;
        if (event.kind != Event.END || endedMicros != Long.MIN_VALUE) {
            return false;
        }
        endedMicros = event.atMicros;
        return true;
    }

    /** The output; ids need no escapes, their characters are a fixed few. */
    String json(Event event) {
        return "{\"v\":1,\"station_id\":\"" + event.stationId
            + "\",\"session_id\":\"" + event.sessionId
            + "\",\"records\":" + records
            + ",\"energy_kwh\":" + (Double.isNaN(energyKwh) ? "null" : energyKwh)
            + ",\"started_us\":" + startedMicros
            + ",\"updated_us\":" + updatedMicros
            + ",\"ended_us\":" + endedMicros
            + ",\"connector_id\":" + connectorId
            + (userId.isEmpty() ? "" : ",\"user_id\":\"" + userId + '"')
            + (held == 0 ? "" : ",\"held\":\"energy-decreased\"")
            + '}';
    }
}
