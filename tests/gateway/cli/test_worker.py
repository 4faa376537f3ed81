"""What a worker answers, where it is given a port."""

from __future__ import annotations

import socket

import httpx
import pytest

from gateway.cli.outcome import Stop
from gateway.cli.worker import answering
from gateway.core.settings import Settings, load_settings
from gateway.edge.workerfigures import figures_app


def settings_of(**values: str) -> Settings:
    return load_settings({f"MARKETGATE_{name}": value for name, value in values.items()}, None).settings


async def get(path: str, address: str = "127.0.0.1", headers: dict[str, str] | None = None) -> httpx.Response:
    app = figures_app(settings_of(METRICS_NETWORKS="127.0.0.1,10.0.0.0/8", TRUSTED_PROXIES="10.0.0.0/8"))
    transport = httpx.ASGITransport(app, client=(address, 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://worker.test") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize(
    ("path", "address", "headers", "status"),
    [
        ("/metrics", "10.1.2.3", {}, 200), ("/metrics", "203.0.113.9", {}, 404),
        ("/metrics", "10.1.2.3", {"x-forwarded-for": "10.1.2.4"}, 404), ("/healthz", "203.0.113.9", {}, 200),
        ("/graphql", "127.0.0.1", {}, 404),
    ],
)  # fmt: skip
async def test_figures_are_for_the_operators_networks_and_life_is_for_everybody(
    path: str, address: str, headers: dict[str, str], status: int
):
    answer = await get(path, address, headers)

    assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store")
    assert ("marketgate_workers_elsewhere" in answer.text) == (path == "/metrics" and status == 200)


async def test_a_worker_with_a_port_answers_there_for_as_long_as_it_works():
    async with answering(settings_of(WORKER_PORT="0")) as url, httpx.AsyncClient() as client:
        life, figures = await client.get(f"{url}/healthz"), await client.get(f"{url}/metrics")

    assert (life.json(), figures.status_code) == ({"status": "ok"}, 200)
    assert url is not None
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))):
        pass


async def test_a_worker_without_a_port_listens_nowhere():
    async with answering(settings_of()) as url:
        assert url is None


async def test_a_port_that_is_taken_is_named_with_its_setting():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(Stop, match=rf"port {port} .*: choose another with MARKETGATE_WORKER_PORT or") as caught:
            async with answering(settings_of(WORKER_PORT=str(port))):
                pass

    assert "MARKETGATE_HOST" in str(caught.value)
