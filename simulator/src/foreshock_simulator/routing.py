"""Routes that all go through one handler first."""

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def behind(
    guard: Callable[[web.Request, Handler], Awaitable[web.StreamResponse]],
    routes: Iterable[web.RouteDef],
) -> list[web.RouteDef]:
    """Return routes whose requests `guard` gets first, with the handler to go on to.

    In place of aiohttp's middlewares: its cache keeps every application alive that had any.
    """

    def guarded(handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await guard(request, handler)

        return handle

    return [
        web.RouteDef(each.method, each.path, guarded(each.handler), each.kwargs) for each in routes
    ]
