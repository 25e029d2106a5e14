"""The report's style sheet: light and dark, from a telephone to a wide screen.

The six colours c0 … c5 are Okabe and Ito's, which the colour-blind can tell apart, darkened on white and lightened on black.
"""

CSS = """
:root{--back:#fdfdfc;--card:#fff;--text:#1c1d20;--soft:#62656d;--line:#dfe0e3;--accent:#0068a8;--good:#00734f;
--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#b95a94;--c4:#c48600;--c5:#4a9fd0;--grey:#9a9ca3}
@media(prefers-color-scheme:dark){:root{--back:#131417;--card:#1b1c20;--text:#e8e8ea;--soft:#a0a3ab;--line:#34363c;
--accent:#62b5ee;--good:#4fd0a4;--c0:#3d9fe0;--c1:#f07b2b;--c2:#1fc796;--c3:#dd8fc0;--c4:#f0b429;--c5:#9bd3f5;--grey:#73757d}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:1.7rem;line-height:1.2;margin:8px 0 16px;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:40px 0 12px;padding-top:12px;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:20px 0 8px}
p,ul{margin:8px 0;max-width:75ch}
ul{padding-left:1.2em}
.hint{color:var(--soft);font-size:.85rem}
.lead{color:var(--soft)}
.verdict{font-size:1.1rem;border-left:3px solid var(--accent);padding-left:12px}
.under{color:var(--soft);margin:-4px 0 14px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px 24px;margin:0}
.facts dt{color:var(--soft);font-size:.8rem}
.facts dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:8px 16px 8px 0;border-bottom:1px solid var(--line);font-weight:400}
thead th{font-weight:600}
th .hint{display:block}
.numbers{margin:16px 0 8px;table-layout:fixed}
.scroll{overflow-x:auto}
.bar{display:block;width:100%;max-width:220px;height:10px;margin-top:6px}
.bar .rail{fill:var(--line)}.bar .value{fill:var(--c5)}
td:nth-of-type(1) .bar .value{fill:var(--accent)}
.bar .whisker{stroke:var(--text);stroke-width:1.5;fill:none;vector-effect:non-scaling-stroke}
.notes{color:var(--soft);font-size:.9rem}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));gap:20px 28px}
.charts svg,.map>svg{width:100%;height:auto;display:block}
svg text{fill:var(--soft);font-size:11px;font-family:inherit}
svg .title{fill:var(--text);font-size:13px;font-weight:600}
.grid{stroke:var(--line);stroke-width:1}.axis,.tick{stroke:var(--grey);stroke-width:1}
.line{fill:none;stroke:var(--accent);stroke-width:1.8;stroke-linejoin:round}
.band{fill:var(--accent);opacity:.2}.end{fill:var(--accent)}
.area{fill:var(--accent);opacity:.45}.other{fill:var(--c1);opacity:.3}.outline{fill:none;stroke:var(--c1);stroke-width:2;stroke-linejoin:round}
.map{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:8px}
.map g{fill-opacity:.8;stroke-width:0}.k{fill:var(--grey);stroke:var(--grey)}
.k0{fill:var(--c0);stroke:var(--c0)}.k1{fill:var(--c1);stroke:var(--c1)}.k2{fill:var(--c2);stroke:var(--c2)}
.k3{fill:var(--c3);stroke:var(--c3)}.k4{fill:var(--c4);stroke:var(--c4)}.k5{fill:var(--c5);stroke:var(--c5)}
.map .label{fill:var(--text);font-size:16px;font-weight:600;pointer-events:none;
paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;list-style:none;padding:0;margin:8px 0 0;font-size:.85rem;max-width:none}
.legend svg{width:12px;height:12px;margin-right:5px;vertical-align:-1px}
.strip{display:flex;gap:16px;padding:10px 0;border-bottom:1px solid var(--line)}
.hits{display:flex;flex-wrap:wrap;gap:10px}
figure{margin:0;width:72px;font-size:.78rem;line-height:1.25}
.query{flex:none}
.texts{display:block}.texts .query{margin-bottom:10px;padding-left:10px;border-left:3px solid var(--accent)}
figure.text{flex:1 0 100%;width:auto;max-width:64rem;display:flex;gap:14px;font-size:.85rem;line-height:1.4}
figure.text p{flex:1;min-width:0;margin:0;overflow-wrap:anywhere}figure.text figcaption{flex:none;width:7.5rem;margin:0}
.query img,.query .profile,.query .unseen{outline:2px solid var(--accent);outline-offset:1px}
.gallery{margin:0 0 20px}
.gallery h3+.hint{margin-top:-4px}
.heat{width:auto;font-size:.82rem}
.heat td,.heat th{padding:4px 5px;text-align:right;border:0;min-width:2.3em}
.heat td{background:color-mix(in srgb,var(--accent) calc(var(--share,0%) * .55),transparent)}
.heat .own{font-weight:700;outline:1px solid var(--grey);outline-offset:-1px}
.heat td:last-child,.heat thead td{color:var(--soft)}
.heat thead td{text-align:left;vertical-align:bottom;padding-left:0}
.heat thead th{vertical-align:bottom;font-weight:400}
.heat thead .tall{display:inline-block;writing-mode:vertical-rl;transform:rotate(180deg);font-weight:400}
.heat tbody th{white-space:nowrap;text-align:left;position:sticky;left:0;background:var(--back);padding-left:0}
img,.unseen{background:var(--line)}
.profile{background:var(--card);border:1px solid var(--line);border-radius:3px;fill:var(--accent)}
.note,.id{display:block;color:var(--soft)}.id{white-space:nowrap;overflow:hidden}.option{white-space:nowrap}
img,.unseen,.profile{width:72px;height:72px;object-fit:contain;border-radius:3px;display:block}
img{image-rendering:pixelated}
.unseen{overflow:hidden;padding:4px;overflow-wrap:anywhere}
figcaption{overflow-wrap:anywhere;margin-top:3px}
.same{color:var(--good)}.score{display:block;color:var(--soft)}
details{margin:6px 0}summary{cursor:pointer}
details table{font-size:.88rem;margin:6px 0 12px}details th[scope=row]{color:var(--soft);white-space:nowrap}
@media(max-width:640px){
.numbers,.numbers tbody,.numbers tr,.numbers th,.numbers td{display:block;padding-right:0}
.numbers thead{display:none}
.numbers tr{border-bottom:1px solid var(--line);padding:10px 0}
.numbers th,.numbers td{border:0;padding:2px 0}
.numbers tbody th{font-weight:600}
.numbers td::before{content:attr(data-name) ": ";color:var(--soft)}
.map .label{font-size:20px;stroke-width:6px}.map g{stroke-width:1.8px}
.heat{font-size:.76rem}.heat td,.heat th{padding:4px 3px;min-width:1.9em}
figure,img,.unseen,.profile{width:60px}img,.unseen,.profile{height:60px}figure{font-size:.7rem}
figure.text figcaption{width:4.5rem}
}
@media print{details{break-inside:avoid}}
"""
