import sys

from foreshock_kit.service import main
from threshold_service.service import SERVICE

sys.exit(main(SERVICE))
