import sys

from foreshock_kit.service import main
from ingest_trades.service import SERVICE

sys.exit(main(SERVICE))
