"""How the page looks: light or dark as the reader has it, one column on a telephone."""

STYLE = """
:root{color-scheme:light dark;--page:#fff;--card:#f4f6f8;--text:#14181d;--soft:#4d5966;--rule:#d5dbe1;--one:#0b5cad;
--two:#b3470a;--area:rgba(11,92,173,.18);--up:33,102,172;--down:217,95,14}
@media (prefers-color-scheme:dark){:root{--page:#12161b;--card:#1c2229;--text:#e9edf1;--soft:#a5b1bd;--rule:#36404b;
--one:#6fb3f2;--two:#f2a265;--area:rgba(111,179,242,.22);--up:62,132,203;--down:200,96,30}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:72rem;background:var(--page);color:var(--text);
font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.5rem 0 .5rem}
a{color:var(--one)}
a:focus-visible,.wide:focus-visible{outline:3px solid var(--one);outline-offset:2px}
nav ul,.legend{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:.5rem 0;padding:0;list-style:none}
.facts{display:grid;grid-template-columns:auto 1fr;gap:.15rem 1rem;margin:1rem 0}
.facts dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.75rem;margin:1rem 0}
.cards div{background:var(--card);border-radius:.5rem;padding:.6rem .8rem}
.cards dt{color:var(--soft);font-size:.85rem}
.cards dd{font-size:1.3rem;font-variant-numeric:tabular-nums}
figure{margin:1.5rem 0}
figcaption,caption{color:var(--soft);text-align:left;font-size:.9rem;padding-bottom:.4rem}
figcaption strong{color:var(--text)}
.plot{position:relative;height:clamp(11rem,40vw,20rem);margin:.5rem 1.5rem 2.2rem 4rem}
.plot svg{display:block;width:100%;height:100%;overflow:visible}
.plot path{fill:none;vector-effect:non-scaling-stroke;stroke-width:1}
.plot .grid{stroke:var(--rule)}
.plot .zero{stroke:var(--soft)}
.plot .area{fill:var(--area)}
.plot .line{stroke-width:1.6;stroke-linejoin:round}
.plot .line1{stroke:var(--one)}
.plot .line2{stroke:var(--two);stroke-dasharray:5 3}
.plot span{position:absolute;color:var(--soft);font-size:.75rem;line-height:1;white-space:nowrap}
.value{right:calc(100% + .5rem);transform:translateY(-50%)}
.day{top:calc(100% + .5rem);transform:translateX(-50%)}
.key{display:inline-block;width:1.6rem;margin-right:.4rem;vertical-align:middle;border-top:2px solid var(--one)}
.key2{border-top:2px dashed var(--two)}
.wide{overflow-x:auto;margin:.5rem 0}
caption span{display:block;position:sticky;left:0;width:fit-content;max-width:calc(100vw - 2rem)}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;min-width:100%}
th,td{padding:.3rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule);font-weight:400}
thead th{color:var(--soft);vertical-align:bottom;white-space:normal}
tbody th,.days,.words{text-align:left}
td.words{white-space:normal;min-width:13rem}
tbody th,thead th:first-child{position:sticky;left:0;background:var(--page)}
th.group{font-weight:600;padding-top:.9rem}
.months td,.months th{padding:.3rem .45rem}
.up0{background:rgba(var(--up),.08)}.up1{background:rgba(var(--up),.18)}.up2{background:rgba(var(--up),.3)}
.up3{background:rgba(var(--up),.42)}.up4{background:rgba(var(--up),.55)}
.down0{background:rgba(var(--down),.08)}.down1{background:rgba(var(--down),.18)}.down2{background:rgba(var(--down),.3)}
.down3{background:rgba(var(--down),.42)}.down4{background:rgba(var(--down),.55)}
footer{margin:3rem 0 1rem;color:var(--soft);font-size:.85rem;border-top:1px solid var(--rule);padding-top:.8rem}
@media (max-width:36rem){.spare{display:none}}
@media print{.wide{overflow:visible}figure,tr{break-inside:avoid}}
"""
