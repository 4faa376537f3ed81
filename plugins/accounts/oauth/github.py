"""GitHub: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.ports import OutboundHttp
from plugins.accounts.oauth.provider import (
    AddressNotVerified,
    Attempt,
    ProviderFailed,
    Vouched,
    grant_url,
    read_json,
    read_object,
    text_in,
)

SITE, API = "https://github.com", "https://api.github.com"
SCOPE = "read:user user:email"
JSON, GITHUB_JSON = {"accept": "application/json"}, {"accept": "application/vnd.github+json"}
VERSION = {"x-github-api-version": "2022-11-28"}


class GitHubProvider:
    """Serves `SignInProvider`. A server of one's own has its interface below `/api/v3`."""

    def __init__(self, http: OutboundHttp, client: Mapping[str, str]) -> None:
        self._http = http
        self._client_id, self._secret = client["client_id"], client["client_secret"]
        base = client.get("base", "").rstrip("/")
        self._site, self._api = (base, f"{base}/api/v3") if base else (SITE, API)

    async def address(self, attempt: Attempt) -> str:
        """See `SignInProvider`."""
        return grant_url(f"{self._site}/login/oauth/authorize", self._client_id, SCOPE, attempt)

    async def vouch(self, attempt: Attempt, code: str) -> Vouched:
        """See `SignInProvider`."""
        form = {
            "code": code, "redirect_uri": attempt.redirect_uri, "code_verifier": attempt.verifier,
            "client_id": self._client_id, "client_secret": self._secret,
        }  # fmt: skip
        answer = await self._http.post_form(f"{self._site}/login/oauth/access_token", form, headers=JSON)
        # A refusal has status 200 and `error` in it.
        token = text_in(read_object(answer, "the token answer"), "access_token", "the token answer")
        headers = {"authorization": f"Bearer {token}", **GITHUB_JSON, **VERSION}
        person = read_object(await self._http.get(f"{self._api}/user", headers=headers), "the person")
        subject = person.get("id")
        if type(subject) is not int:
            raise ProviderFailed("the person has no id")
        return Vouched(subject=str(subject), email=await self._verified_address(headers))

    async def _verified_address(self, headers: Mapping[str, str]) -> str:
        answer = await self._http.get(f"{self._api}/user/emails", headers=headers)
        listed = read_json(answer, "the list of addresses")
        if not isinstance(listed, list):
            raise ProviderFailed("the list of addresses is no list")
        for each in listed:
            if isinstance(each, dict) and each.get("primary") is True and each.get("verified") is True:
                return text_in(each, "email", "an address")
        raise AddressNotVerified
