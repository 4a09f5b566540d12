"""The agents: one file = one consumer, named after its topic and its table."""
