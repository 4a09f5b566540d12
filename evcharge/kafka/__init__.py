"""What every room needs of Kafka itself: administration, partitions, producing, odd records.

Below the engine: nothing here knows tables, agents or events.
"""
