/** The one style of every report: quiet, dense, the same on paper. Colours of states are also told by words, for readers and printers without colour. */
export const STYLE = `
:root{--ink:#17212b;--soft:#5b6875;--line:#dde3e8;--wash:#f5f7f9;--brand:#0e6f7c;
--good:#1d7a4f;--good-wash:#e3f4ea;--warning:#8a5a00;--warning-wash:#fdf0d3;--bad:#a92434;--bad-wash:#fbe5e7;--info:#1d5f9c;--info-wash:#e4effa;--neutral:#4d5965;--neutral-wash:#edf0f3}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:#e9edf0;color:var(--ink);font:14px/1.45 "Segoe UI","Helvetica Neue",Roboto,"Noto Sans","DejaVu Sans",Arial,sans-serif;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:1080px;margin:24px auto;padding:36px 44px 28px;background:#fff;border-radius:6px;box-shadow:0 1px 3px rgba(20,40,60,.14),0 12px 32px rgba(20,40,60,.06)}
header{border-bottom:2px solid var(--brand);padding-bottom:16px}
.brand{display:flex;align-items:center;gap:8px;color:var(--brand);font-size:12px;font-weight:600;letter-spacing:.06em;text-transform:uppercase}
.mark{width:16px;height:12px;background:linear-gradient(90deg,var(--brand) 0 3px,transparent 3px 6px,var(--brand) 6px 9px,transparent 9px 12px,var(--brand) 12px)}
.title{display:flex;align-items:center;gap:14px;flex-wrap:wrap;margin-top:10px}
h1{margin:0;font-size:27px;line-height:1.2;font-weight:650;letter-spacing:-.01em}
.subtitle{margin:6px 0 0;font-size:15px;color:var(--soft)}
.span{margin:2px 0 0;color:var(--soft)}
section{margin-top:26px;break-inside:avoid}
section.long{break-inside:auto}
h2{margin:0 0 10px;font-size:15px;font-weight:650;break-after:avoid}
.note{margin:8px 0 0;font-size:12px;color:var(--soft)}
.empty{margin:0;padding:10px 12px;background:var(--wash);border-radius:4px;color:var(--soft)}
.none{color:#9aa5b0}
dl{margin:0}dd{margin:0}
dl.tiles{display:grid;grid-template-columns:repeat(var(--columns),minmax(0,1fr));gap:10px}
dl.tiles>div{padding:11px 14px 12px;background:var(--wash);border-radius:5px;break-inside:avoid}
dl.tiles dt{font-size:12px;color:var(--soft)}
dl.tiles dd{margin-top:1px;font-size:22px;font-weight:600;line-height:1.25;font-variant-numeric:tabular-nums}
dl.tiles dd small{font-size:13px;font-weight:400;color:var(--soft)}
dl.tiles dd.type-text,dl.tiles dd.type-id,dl.tiles dd.type-time{font-size:16px;line-height:1.72}
dl.tiles dd .badge{font-size:13px}
dl.list{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));column-gap:36px}
dl.list>div{display:flex;justify-content:space-between;gap:16px;padding:5px 0;border-bottom:1px solid var(--line)}
dl.list dt{color:var(--soft);flex:none}
dl.list dd{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
small.under{display:block;line-height:1.35}
dd.good{color:var(--good)}dd.warning{color:var(--warning)}dd.bad{color:var(--bad)}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:6px 8px;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{padding-left:0}th:last-child,td:last-child{padding-right:0}
thead th{font-size:11.5px;font-weight:600;color:var(--soft);vertical-align:bottom;border-bottom:1.5px solid #b9c3cc;white-space:nowrap}
tbody th{font-weight:600}
tr{break-inside:avoid}
tfoot th,tfoot td{border-top:1.5px solid #b9c3cc;border-bottom:0;font-weight:650}
th small,td small{font-weight:400;color:var(--soft)}
th.type-number,td.type-number,th.type-percent,td.type-percent,th.type-duration,td.type-duration{text-align:right;white-space:nowrap}
.type-time,.type-moment{white-space:nowrap}
td.type-text,td.type-id,tbody th{overflow-wrap:break-word}
.badge{display:inline-block;padding:1px 8px;border-radius:9px;font-size:12px;font-weight:600;line-height:1.45;white-space:nowrap}
h1+.badge{font-size:13px;padding:2px 11px;border-radius:11px}
.badge.good{color:var(--good);background:var(--good-wash)}.badge.warning{color:var(--warning);background:var(--warning-wash)}.badge.bad{color:var(--bad);background:var(--bad-wash)}
.badge.info{color:var(--info);background:var(--info-wash)}.badge.neutral{color:var(--neutral);background:var(--neutral-wash)}
.lane{display:grid;grid-template-columns:150px 1fr;align-items:center;gap:12px;min-height:26px;break-inside:avoid}
.lane b{font-weight:500;font-size:13px;overflow-wrap:anywhere;line-height:1.2}
.track{position:relative;height:20px;background:var(--wash);border-radius:3px}
.timeline .track i{position:absolute;top:5px;height:10px;border-radius:2px}
.timeline .track i.planned{top:2px;height:7px}
.timeline .track i.actual{top:10px;height:8px}
.axis .track{background:none;height:16px;border-top:1px solid #b9c3cc;border-radius:0}
.axis .track span{position:absolute;transform:translateX(-50%);font-size:11px;color:var(--soft);white-space:nowrap;line-height:16px}
.axis .track span::before{content:"";position:absolute;left:50%;top:-4px;height:4px;border-left:1px solid #b9c3cc}
.shares .track{display:flex;overflow:hidden}
.shares .track i{display:block;height:20px;font:600 11px/20px inherit;font-family:inherit;font-style:normal;color:#fff;text-align:center;white-space:nowrap;overflow:hidden}
.shares .track i.ADOT,.shares .track i.unseen,.shares .track i.AUST{color:var(--ink)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:8px 0 0;font-size:12px;color:var(--soft)}
.legend i{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:6px;vertical-align:-1px}
i.planned{background:#b3c0cc}i.actual{background:var(--brand)}
i.APT{background:#23875a}i.AUST{background:#e6b450}i.ADOT{background:#ccd5dd}i.ADET{background:#c23b4b}i.PDOT{background:#5b83b5}
i.unseen{background:repeating-linear-gradient(135deg,#e3e8ec 0 4px,#f5f7f9 4px 8px)}
footer{margin-top:34px;padding-top:12px;border-top:1px solid var(--line);font-size:12px;color:var(--soft)}
footer p{margin:0}
.hash{font:11px/1.6 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
@media screen and (max-width:760px){main{margin:0;padding:22px 18px;border-radius:0}dl.list{grid-template-columns:1fr}dl.tiles{grid-template-columns:repeat(auto-fit,minmax(130px,1fr))}.lane{grid-template-columns:92px 1fr}}
@media print{
@page{size:A4;margin:14mm 13mm 16mm;@bottom-right{content:counter(page) " / " counter(pages);font:9px sans-serif;color:#5b6875}}
html,body{background:#fff;font-size:9.5pt}
main{max-width:none;margin:0;padding:0;border-radius:0;box-shadow:none}
h1{font-size:18pt}section{margin-top:16pt}
dl.tiles{gap:6pt;grid-template-columns:repeat(var(--columns),minmax(0,1fr))}dl.tiles>div{padding:6pt 8pt}dl.tiles dd{font-size:14pt}
dl.tiles dd.type-text,dl.tiles dd.type-id,dl.tiles dd.type-time{font-size:10.5pt}
table{font-size:8pt}thead{display:table-header-group}tfoot{display:table-row-group}
th,td{padding:3.5pt 4.5pt}thead th{font-size:7.5pt;white-space:normal}.badge{font-size:7.5pt}.scroll{overflow:visible}
.lane{grid-template-columns:104px 1fr;min-height:22px}.lane b{font-size:8.5pt}
}
`
