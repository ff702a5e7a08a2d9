"""Golden event file for src/training/events.rs. Run: python tests/golden/events.py tests/golden/events.tfevents   (needs tensorboard)"""
import sys

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

events = [Event(wall_time=1.5, file_version="brain.Event:2")]
for tag, step, value in [("loss/train", 1, 0.625), ("auc/validation", 300, 0.875), ("lr", 1 << 40, 1e-4)]:
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
    events.append(Event(wall_time=1e9 + 0.25, step=step, summary=summary))
with open(sys.argv[1], "wb") as file:
    writer = RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString())
    writer.flush()
