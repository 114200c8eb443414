"""`onecard holders rewrite-classes`: what to run when the register of classes or its rules have changed."""

import argparse

from onecard.foundation import jobs
from onecard.foundation.terminal import say


def run(arguments: argparse.Namespace) -> int:
    """Queue the job that goes over all holders; the worker does it batch by batch."""
    job = jobs.queue("holders.rewrite_classes", after_id=0)
    say(f"已排队，任务编号 {job}；后台分批进行。", f"Queued as job {job}; the worker goes on batch by batch.")
    return 0
