"""A Ray cluster of several nodes on this machine, each with a processor and, as Ray believes, a card:   python nodes.py COUNT

It says its address when all nodes are there, and lasts until it is ended.
"""

from __future__ import annotations

import sys
import threading

from ray.cluster_utils import Cluster

if __name__ == "__main__":
    cluster = Cluster(True, head_node_args={"num_cpus": 0, "include_dashboard": False}, shutdown_at_exit=True)
    for _ in range(int(sys.argv[1])):
        cluster.add_node(num_cpus=1, num_gpus=1)
    print(f"cluster at {cluster.address}.", flush=True)
    threading.Event().wait()
