var e=e=>e.body!==null&&(e.headers.get(`content-type`)?.startsWith(`text/event-stream`)??!1);async function*t(e){let t=e.body.pipeThrough(new TextDecoderStream).getReader(),n=``;for(let e=await t.read();!e.done;e=await t.read()){let t=(n+e.value).split(`

`);n=t.pop();for(let e of t){if(e.startsWith(`event: complete`))return!0;e.startsWith(`event: next
`)&&(yield JSON.parse(e.slice(e.indexOf(`data: `)+6)))}}return!1}var n=`query Ticker {
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
`;export{e as n,t as r,n as t};