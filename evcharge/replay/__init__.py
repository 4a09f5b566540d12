"""Closed sessions of a file turned back into the device events they stood for.

    closed_sessions.py   the rows of the CSV file, checked
    device_events.py     the four events of a row, and their order in time
    pace.py              when an event is due at N seconds of event time per second

Pure but for the reading of the file; `evcharge/commands/replay.py` publishes.
"""
