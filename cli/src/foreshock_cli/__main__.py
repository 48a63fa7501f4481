import sys

from foreshock_cli.main import main

sys.exit(main())
