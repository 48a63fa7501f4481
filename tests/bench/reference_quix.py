"""Quix Streams over a topic of Avro records: a sum by coin in its state store, plain or sliding."""

import json
import os
import sys
import tempfile
import time

from quixstreams import Application
from quixstreams.dataframe.windows import Sum
from quixstreams.models.serializers.avro import AvroDeserializer

_HEAD = 5
_WINDOW_MS = {"foreshock.bars.v1": 900_000, "foreshock.liquidations.v1": 60_000}


class Confluent(AvroDeserializer):
    """Reads Avro behind the Confluent wire format's five bytes."""

    def __call__(self, value, ctx):
        return super().__call__(value[_HEAD:], ctx)


class Count:
    """Counts records, notes the CPU time at the first, and stops at the last."""

    def __init__(self, app, records):
        self.app = app
        self.left = records
        self.started = None

    def __call__(self, event):
        if self.started is None:
            self.started = time.process_time()
        self.left -= 1
        if self.left == 0:
            self.app.stop()


def plain_sum(event, state):
    total = state.get("usd", 0.0) + event["notional_usd"]
    state.set("usd", total)
    return total


def summed(frame, task):
    if task["job"] == "plain sum":
        return frame.apply(plain_sum, stateful=True)
    window = frame.sliding_window(duration_ms=_WINDOW_MS[task["topic"]])
    return window.agg(usd=Sum("notional_usd")).current()


def run(task, state_dir):
    app = Application(
        broker_address=task["kafka"],
        consumer_group=f"quix-{os.getpid()}-{time.time_ns()}",
        auto_offset_reset="earliest",
        state_dir=state_dir,
        loglevel="WARNING",
        consumer_extra_config={"fetch.wait.max.ms": 50},
    )
    topic = app.topic(
        task["topic"], value_deserializer=Confluent(task["schema"]), key_deserializer="str"
    )
    count = Count(app, task["records"])
    summed(app.dataframe(topic).update(count), task)
    app.run()
    return {"cpu_s": time.process_time() - count.started}


for line in sys.stdin:
    with tempfile.TemporaryDirectory() as state_dir:
        print(json.dumps(run(json.loads(line), state_dir)), flush=True)
