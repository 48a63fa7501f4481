import sys

from foreshock_kit.service import main
from oi_poller.service import SERVICE

sys.exit(main(SERVICE))
