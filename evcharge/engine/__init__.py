"""The lane: how chunks of records travel from Kafka through an agent into tables and back to Kafka.

A chunk (consecutive records of one partition) is one Faust event. In reading order:

* ``consumer.py`` takes chunks from what was fetched (``intake.py``, ``batch_reader.py``), as large as
  steps are quick (``pace.py``), and commits source offsets; ``chunk.py`` is what it delivers;
* ``lane.py`` opens a ``step.py`` for each chunk: the only object through which an agent reads and
  writes state, rejects, reroutes and emits;
* ``pipeline.py`` makes finished steps durable in order, one table partition at a time: rows and outputs
  to Kafka, all or nothing (``kafka/fenced_writer.py``), one write to the store
  (``storage/partition_store.py``), the ack of the source, the listeners (``change_feed.py``);
* ``recovery.py`` takes partitions over and brings them up to their changelogs (``changelogs.py``), and
  positions the consumer at the first record not applied yet (``history.py``);
* ``membership.py`` and ``assignor.py`` are the worker's place in the group, ``lookout.py`` and
  ``watchdog.py`` end it when it gets nowhere.

Computation is synchronous, durability is pipelined: a step sees the state that the steps before it
computed, readers from outside see only what is durable. A failure anywhere ends the process
(``failstop.py``), because a restart from what is durable is always right.
"""
