import sys

from alert_router.service import SERVICE
from foreshock_kit.service import main

sys.exit(main(SERVICE))
