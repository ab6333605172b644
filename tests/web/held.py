"""Requests of a page that are kept back, or counted."""

from __future__ import annotations

import time

from playwright.sync_api import Page, Request, Route


class Held:
    """Requests that are kept back until they are let go, the first `many` that fit."""

    def __init__(self, page: Page, pattern: str, many: int = 1) -> None:
        self.page, self.many = page, many
        self.routes: list[Route] = []
        page.route(pattern, self.take)

    def take(self, route: Route) -> None:
        if len(self.routes) < self.many:
            self.routes.append(route)
        else:
            route.continue_()

    def wait(self) -> None:
        """Until as many were asked."""
        deadline = time.monotonic() + 20
        while len(self.routes) < self.many:
            assert time.monotonic() < deadline, "nobody has asked"
            self.page.wait_for_timeout(20)

    def let_go(self) -> None:
        """Let them be answered, and the page take the answers."""
        for route in self.routes:
            with self.page.expect_response(route.request.url):
                route.continue_()
        self.page.wait_for_timeout(200)


def counted(page: Page, method: str, path: str) -> list[Request]:
    """The requests to a route from now on."""
    found: list[Request] = []
    page.on("request", lambda request: found.append(request) if (request.method, request.url.partition("?")[0]) == (method, path) else None)
    return found
