var e={UPSTREAM_UNAVAILABLE:`No provider answered`,UPSTREAM_THROTTLED:`The provider asked us to slow down`,UPSTREAM_QUOTA:`The provider's quota is used up`,UPSTREAM_MALFORMED:`The provider sent something unreadable`,PROVIDER_MISCONFIGURED:`The provider refuses our key`,PROVIDER_KEY_MISSING:`The provider needs a key`,NOT_COVERED:`No provider offers this`,UNKNOWN_INSTRUMENT:`Unknown symbol`,AMBIGUOUS_INSTRUMENT:`The symbol may mean several things`,DATA_STALE:`Only outdated data is available`,QUORUM_NOT_MET:`Too few providers to compare`,DEADLINE_EXCEEDED:`The providers took too long`,NOT_RECORDED:`Not part of the offline market`},t=t=>e[t]??`No answer`,n={PRE:`Pre-market`,REGULAR:`Open`,POST:`After hours`,CLOSED:`Closed`,HALTED:`Halted`,UNKNOWN:`Not known`},r=e=>n[e]??e,i={READY:`Ready`,KEY_MISSING:`Needs a key`,KEY_INVALID:`Key refused`,DEGRADED:`Degraded`,PAUSED:`Paused`,DISABLED:`Disabled`,FAILED_TO_LOAD:`Failed to load`},a=e=>i[e.toUpperCase()]??e,o=15e3,s=class extends Error{code;constructor(e,t=null){super(e),this.code=t}};async function c(e,t,n){let r=await u(`/graphql`,n,{method:`POST`,headers:{"content-type":`application/json`,accept:`application/graphql-response+json`},body:JSON.stringify({query:e,variables:t})}),{data:i,errors:a}=await d(r);if(i&&Object.values(i).some(e=>e!==null))return i;if(a?.[0])throw new s(f(a[0]),a[0].extensions?.code??null);if(!i)throw new s(r.ok?`The gateway sent an answer without data.`:p(r.status));return i}async function l(e){return await d(await u(`/health`,e,{headers:{accept:`application/json`}}))}async function u(e,t,n){let r=AbortSignal.timeout(o);try{return await fetch(e,{...n,signal:AbortSignal.any([t,r])})}catch(e){throw t.aborted?e:r.aborted?new s(`The gateway takes too long to answer.`):new s(`The gateway does not answer. Trying again.`)}}async function d(e){try{let t=await e.json();if(typeof t==`object`&&t)return t}catch{}throw new s(e.ok?`The gateway sent an answer that is not JSON.`:p(e.status))}function f({message:e,extensions:n}){let r=n?.code;return r?`${t(r)}: ${e}`:e}function p(e){return e===401||e===403?`This gateway wants an API key, which this page does not have.`:e===404?`This server has no GraphQL endpoint at /graphql.`:e===429?`This page asked too often. It waits a little.`:e>=500?`The gateway cannot answer at the moment (status ${e}). Trying again.`:`The gateway refused the request (status ${e}).`}var m=`query Ticker {
  quote(symbol: "BTC/USD") {
    price
    currency
    bid
    ask
    changePercent
    provenance {
      provider
      mode
      asOf
      ageMs
      fallbackFrom {
        provider
        code
      }
    }
  }
}
`;export{t as a,l as i,s as n,r as o,c as r,a as s,m as t};