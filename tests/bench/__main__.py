"""`python -m bench`: every benchmark, or those that are named."""

import argparse
import asyncio
import logging
from importlib import import_module
from typing import Final

from bench.harness import Row, say, show, write

ALL: Final = ("parse", "ingest", "threshold", "members", "coins", "latency", "start", "memory")


async def run(names: list[str]) -> list[Row]:
    rows: list[Row] = []
    for name in names:
        say(name)
        rows += await import_module(f"bench.bench_{name}").run()
        write(rows)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("only", nargs="?", default="", help=f"some of {','.join(ALL)}")
    wanted = [name for name in parser.parse_args().only.split(",") if name] or list(ALL)
    if strangers := sorted(set(wanted) - set(ALL)):
        parser.error(f"no benchmark {', '.join(strangers)}; there are: {', '.join(ALL)}")
    logging.getLogger("aiokafka").setLevel(
        logging.CRITICAL
    )  # new topics have no leader for a while
    show(asyncio.run(run(wanted)))


if __name__ == "__main__":
    main()
