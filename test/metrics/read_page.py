"""Prints what Prometheus' own parser finds at an address, as JSON; numbers in repr()."""

import json
import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

text = urllib.request.urlopen(sys.argv[1], timeout=20).read().decode()
json.dump(
    {
        sample.name: {
            "labels": sample.labels,
            "value": repr(sample.value),
            "help": family.documentation,
            "type": family.type,
        }
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    },
    sys.stdout,
)
