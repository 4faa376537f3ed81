"""One wrapper each: what stands between an ask and its upstream."""
