import sys

from foreshock_kit.service import main
from telegram_gateway.service import SERVICE

sys.exit(main(SERVICE))
