package plain;

import java.util.regex.Pattern;

/** The limits of fields; what breaks one ends the program: the stream has no invalid event. */
final class Checks {
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9._:*~+@-]{1,64}");

    private Checks() {}

    static void required(String name, Object value) {
        require(value != null, name);
    }

    static void id(String name, String value) {
        require(value != null && ID.matcher(value).matches(), name);
    }

    static void optionalId(String name, String value) {
        require(value == null || ID.matcher(value).matches(), name);
    }

    static void range(String name, Number value, double least, double most) {
        require(value == null || value.doubleValue() >= least && value.doubleValue() <= most, name);
    }

    private static void require(boolean holds, String name) {
        if (!holds) {
            throw new IllegalArgumentException(name);
        }
    }
}
