"""What the service does while it is switched off: nothing, and it is ready."""

from foreshock_kit.service import Context
from predictor_service.service import run
from predictor_service.settings import Settings


async def test_switched_off_it_is_ready_and_says_why_it_does_nothing():
    context = Context("predictor-service")
    context.stop.set()
    await run(Settings(enable_predictive_zones=False), context)
    assert context.health.ready
    assert context.health.parts["zones"].why == "switched off: ENABLE_PREDICTIVE_ZONES=false"
