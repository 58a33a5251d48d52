"""Prints what TensorBoard itself reads in a folder, as JSON; numbers in repr() so that none is lost."""

import glob
import json
import os
import sys

from tensorboard.backend.event_processing import event_accumulator, event_file_loader

folder = sys.argv[1]

records = []
for path in sorted(glob.glob(os.path.join(folder, "*tfevents*"))):
    for event in event_file_loader.LegacyEventFileLoader(path).Load():
        records.append(
            {
                "file": os.path.basename(path),
                "what": event.WhichOneof("what"),
                "step": event.step,
                "wall_time": event.wall_time,
                "file_version": event.file_version,
                "values": {v.tag: repr(v.simple_value) for v in event.summary.value},
            }
        )

everything = event_accumulator.EventAccumulator(folder, size_guidance={"scalars": 0, "tensors": 0})
everything.Reload()
scalars = {
    tag: [[point.step, repr(point.value)] for point in everything.Scalars(tag)]
    for tag in everything.Tags()["scalars"]
}
texts = {
    tag: [
        [point.step, point.tensor_proto.string_val[0].decode()] for point in everything.Tensors(tag)
    ]
    for tag in everything.Tags()["tensors"]
    if everything.SummaryMetadata(tag).plugin_data.plugin_name == "text"
}
json.dump({"records": records, "scalars": scalars, "texts": texts}, sys.stdout)
