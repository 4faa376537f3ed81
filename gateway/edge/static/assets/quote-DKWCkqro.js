var e=`query Ticker {
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
`;export{e as t};