import sys

from foreshock_kit.service import main
from ingest_liquidations.service import SERVICE

sys.exit(main(SERVICE))
