"""What the fork server imports once, so that no child process loads or holds it again.

Child processes share these pages until they write to them: with every process loading its
own copy, imports alone were 229 MiB.
"""

import gc
from importlib import import_module
from importlib.util import find_spec

from foreshock_exchanges import NAMES, load

_SHARED = (
    "aiohttp.web",
    "foreshock_kit.admin",
    "foreshock_kit.http",
    "foreshock_kit.kafka",
    "foreshock_kit.service",
    "foreshock_kit.ws",
    "numpy",
    "telegram.ext",
)

for _name in _SHARED:
    if find_spec(_name.partition(".")[0]):
        import_module(_name)

for _name in NAMES:
    load(_name)

gc.collect()
gc.freeze()  # the collector's marks would unshare every page
