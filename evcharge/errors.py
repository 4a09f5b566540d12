"""The errors that evcharge raises for a person to read.

::

    EvchargeError
    ├── SettingError            a setting has a value that cannot be used (exit code 2)
    ├── CommandError            a command cannot do what it was asked (exit code 1)
    ├── BrokerError             the embedded broker cannot go on (``evcharge.broker``)
    │   └── PortTakenError      a port that it needs is in use
    ├── KafkaUnreachableError   no broker answered in time (``evcharge.kafka.admin``)
    ├── TopicCreationError      Kafka refuses to create a topic (``evcharge.kafka.admin``)
    ├── TopicRefusedError       Kafka refuses to tell about a topic (``evcharge.kafka.admin``)
    ├── PartitionMismatchError  a topic has another number of partitions (``evcharge.topics``)
    ├── OvertakenError          another worker writes a partition (``evcharge.kafka.wire``)
    ├── CutShortError           a transaction was begun and not ended (``evcharge.kafka.producer``)
    ├── ForgottenEndError       nobody knows how a transaction ended (``evcharge.kafka``)
    ├── TransactionsUntoldError Kafka does not tell of transactions (``evcharge.kafka.inherited_ends``)
    ├── SleptError              the process did not run for too long (``evcharge.kafka.awake``)
    └── StorageError            local rows cannot be read or written (``evcharge.storage``)
        ├── StoreInUseError     two workers were given one data directory
        ├── DiskFullError       there is no room left
        ├── DiskFailedError     the operating system refuses
        └── DamagedStoreError   what is there is not what was written

Rejected input is not an error of this tree: it is a value (``evcharge.events.rejection``) on its way to
the ``dead-letters`` topic. Broken invariants of the engine end the process (``evcharge.engine``).
"""


class EvchargeError(Exception):
    """One clear sentence for a person; ``exit_code`` is what a command ends with."""

    exit_code = 1


class SettingError(EvchargeError):
    """A setting has a value that cannot be used; names the variable and what was expected."""

    exit_code = 2


class CommandError(EvchargeError):
    """A command cannot do what it was asked."""
