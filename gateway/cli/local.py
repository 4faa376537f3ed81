"""A gateway in this process: the real executor without HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

from gateway.cli.link import Answer, read_answer
from gateway.cli.outcome import Code, Stop, say

if TYPE_CHECKING:
    from gateway.core.contract import Host
    from gateway.core.identity import Principal


class LocalLink:
    """Asks the executor that also serves HTTP; documents have the same bounds, and nothing else limits the caller."""

    def __init__(self, gateway: Any, executor: Any, *, offline: bool, caller: Principal | None = None) -> None:
        self._gateway, self._executor, self.offline, self._caller = gateway, executor, offline, caller

    @property
    def host(self) -> Host:
        """What services are made of."""
        return self._gateway.host  # type: ignore[no-any-return]

    @classmethod
    def open(cls, *, offline: bool = False, tell: bool = True, caller: Principal | None = None) -> LocalLink:
        """Read the settings and put a gateway together; Stop names a setting that is wrong. *caller* is a Principal."""
        from gateway.core.settings import SettingsError, load_settings

        try:
            loaded = load_settings()
            for warning in loaded.warnings if tell else ():
                say(f"warning: {warning}")
            settings = loaded.settings.model_copy(update={"upstreams": "recorded"}) if offline else loaded.settings
            _configure_logging(settings)
            from gateway.app import build_gateway, create_app

            gateway = build_gateway(settings)
            executor = create_app(settings, gateway=gateway).state.executor
            # Answers are read here, not sent.
            executor.responses = None
        except SettingsError as error:
            raise Stop(str(error), Code.USAGE) from None
        return cls(gateway, executor, offline=settings.mode == "recorded", caller=caller)

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Answer:
        """See `Link`."""
        from gateway.core.identity import LOCAL
        from gateway.edge.execute import OperationRequest, RequestFacts

        request = OperationRequest(query=query, variables=dict(variables or {}))
        facts = RequestFacts(request_id="cli", transport="cli")
        result = await self._executor.execute(request, facts, principal=self._caller or LOCAL)
        return read_answer(result.body())

    async def listen(
        self, query: str, variables: Mapping[str, Any], after: str | None = None
    ) -> AsyncGenerator[Answer]:  # fmt: skip
        """See `Link`."""
        from gateway.core.identity import LOCAL
        from gateway.edge.errors import Refused
        from gateway.edge.execute import ANY_OPERATION, OperationRequest, RequestFacts, refused_result

        extensions = None if after is None else {"after": after}
        request = OperationRequest(query=query, variables=dict(variables), extensions=extensions)
        facts, caller = RequestFacts(request_id="cli", transport="cli"), self._caller or LOCAL
        try:
            prepared = await self._executor.prepared(request, ANY_OPERATION, facts, caller)
        except Refused as refused:
            raise read_answer(refused_result(refused, "cli").body()).problems[0].stop() from None
        async with aclosing(self._executor.subscribe(prepared, facts, caller)) as results:
            async for result in results:
                answer = read_answer(result.body())
                if not result.executed:
                    raise answer.problems[0].stop()
                yield answer

    async def close(self) -> None:
        """See `Link`."""
        await self._gateway.close()


@asynccontextmanager
async def local_host() -> AsyncIterator[Host]:
    """The services over the settings' database, which must fit this release."""
    from gateway.cli.database import prepare, reached
    from gateway.core.settings import SettingsError

    link = LocalLink.open()
    try:
        link.host.settings.root_secrets()
        await prepare(link.host.settings, link.host.plugins)
        with reached(link.host.store):
            yield link.host
    except SettingsError as error:
        raise Stop(str(error), Code.USAGE) from None
    finally:
        await link.close()


def _configure_logging(settings: Any) -> None:
    """Every failure has its line on stderr already, so the log speaks only to those who look for a fault."""
    from gateway.core import telemetry

    level = "debug" if settings.log_level == "debug" else "critical"
    telemetry.configure_logging(level, settings.log_format, settings.keyring().redactor())
