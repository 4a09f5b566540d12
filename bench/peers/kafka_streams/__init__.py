"""The peer in Kafka Streams: Java, compiled by ecj (a compiler in one jar) and run from its classes."""
