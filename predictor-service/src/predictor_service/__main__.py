import sys

from foreshock_kit.service import main
from predictor_service.service import SERVICE

sys.exit(main(SERVICE))
