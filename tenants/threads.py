"""Threads that wait for providers, kept from one batch to the next: starting them costs as much as a request."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache


@lru_cache(maxsize=4)
def pool_of(threads: int) -> ThreadPoolExecutor:
    """This process's pool of so many threads. None of them uses the database."""
    return ThreadPoolExecutor(max_workers=threads, thread_name_prefix="renew")


# A forked child has none of its parent's threads.
os.register_at_fork(after_in_child=pool_of.cache_clear)
