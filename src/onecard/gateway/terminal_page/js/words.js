// What the page says, in both languages. What a verdict says comes from the kit (kit.js), what a problem says from the
// gateway.

const WORDS = {
  title: ["终端", "Terminal"],
  skip: ["跳到主要内容", "Skip to the content"],
  terminal: ["终端", "Terminal"],
  tools: ["显示设置", "Display"],
  language: ["EN", "中文"],
  language_label: ["Switch to English", "切换为中文"],
  elder: ["长辈版", "Larger"],
  sound: ["声音", "Sound"],
  state: ["状态", "State"],
  again: ["重试", "Try again"],
  update: ["有新版本，点此更新", "A new version is ready"],
  close: ["关闭", "Close"],
  cancel: ["取消", "Cancel"],

  pair_title: ["配对本终端", "Pair this terminal"],
  pair_why: ["在管理端为这个终端生成配对码，在此输入。配对码24小时内有效，只能用一次。", "Make a pairing code for this terminal in the console and enter it here. It is good for 24 hours, once."],
  pair_code: ["配对码", "Pairing code"],
  pair_hint: ["10位字母和数字，不分大小写", "10 letters and digits, upper or lower case"],
  pair: ["配对", "Pair"],
  pair_key: ["终端密钥只存于本浏览器，不能读出。清除浏览器数据后须重新配对。", "The terminal's key stays in this browser and cannot be read out. After clearing the browser's data, pair again."],
  pair_empty: ["请输入配对码。", "Enter the pairing code."],
  pair_unreached: ["连不上网关，配对码未使用。请检查网络后重试。", "The gateway cannot be reached; the code is not used. Check the network and try again."],
  pair_unknown: ["没有收到回答，配对码可能已用掉。请重试；若被拒绝，请重新生成。", "No answer came, and the code may be used up. Try again; if it is refused, make a new one."],

  stop_title: ["本页不能在此工作", "This page cannot work here"],
  stop_insecure: ["浏览器只在加密连接（HTTPS）或本机地址下提供密钥、摄像头和离线功能。", "A browser gives keys, camera and offline work only over HTTPS, or on the machine itself."],
  stop_insecure_next: ["请用 https:// 打开本页。", "Open the page with https://."],
  stop_suite: ["本节点的终端密钥用国密算法（HMAC-SM3），浏览器不支持。", "Terminals of this node have keys for HMAC-SM3, which browsers do not know."],
  stop_suite_next: ["请改用 onecard-gate 程序作终端。", "Use the program onecard-gate as the terminal instead."],
  stop_browser: ["这个浏览器不能验证二维码的签名（Ed25519）。", "This browser cannot check a code's signature (Ed25519)."],
  stop_browser_next: ["请更新浏览器，或换用较新的浏览器。", "Update the browser, or use a newer one."],
  stop_twice: ["本终端已在另一个窗口或标签页中打开。同一流水簿不能由两处书写。", "This terminal is open in another window or tab. Two must not write one journal."],
  stop_twice_next: ["请使用那个窗口，或关闭它后重试。", "Use that one, or close it and try again."],
  stop_storage: ["浏览器的存储不可用，无法保存流水。", "The browser's storage does not work, so no journal can be kept."],
  stop_storage_next: ["请退出无痕模式或释放磁盘空间后重试。", "Leave private browsing, or free some disk space, and try again."],

  reading: ["读取二维码或卡", "Read a code or card"],
  item: ["项目", "Item"],
  no_item: ["尚未取得离线包", "No pack yet"],
  no_item_why: ["尚未从平台取得本终端的项目，请等待网络。", "This terminal's items are not here yet; wait for the line."],
  leg: ["进出", "Way"],
  leg_in: ["进", "In"],
  leg_out: ["出", "Out"],
  amount: ["金额（元）", "Amount (¥)"],
  amount_wrong: ["请输入金额，最多两位小数。", "Enter an amount with at most two decimals."],
  paste: ["粘贴二维码内容或输入数字码，回车提交", "Paste a code's text or type a number, then Enter"],
  check: ["核验", "Check"],
  tap: ["模拟贴卡", "Simulated tap"],
  camera: ["摄像头", "Camera"],

  camera_off: ["摄像头已关闭，可粘贴或用扫码枪", "The camera is off; paste, or use a scanner"],
  camera_opening: ["正在打开摄像头…", "Opening the camera…"],
  camera_aim: ["把二维码放进框内", "Hold the code in the frame"],
  camera_denied: ["摄像头未授权，请改用粘贴或扫码枪", "The camera is not allowed; paste, or use a scanner"],
  camera_none: ["没有可用的摄像头，请改用粘贴或扫码枪", "There is no camera; paste, or use a scanner"],
  camera_read: ["已识别", "Read"],

  idle: ["请出示", "Please show your card"],
  idle_why: ["电子社保卡二维码，或社会保障卡", "The e-card's code, or the card itself"],
  item_waits: ["网络中断，请稍候", "No connection: please wait"],
  item_waits_why: ["该项目须联网办理，网络恢复后自动继续", "This item is taken with a line only; it goes on by itself when that is back"],
  busy: ["请稍候", "One moment"],
  busy_why: ["正在核验", "Checking"],
  admitted: ["请通行", "Please go ahead"],
  refused: ["未通过", "Not admitted"],
  look: ["请核对照片", "Compare the photo"],
  undecided: ["请找工作人员", "Please ask the staff"],
  fault: ["本页出现故障，本笔未定", "Something broke on this page; nothing is decided"],
  fault_next: ["请重新打开本页再试。", "Open the page again and try once more."],
  not_recorded: ["本笔未记录", "Nothing was recorded"],

  fact_item: ["项目", "Item"],
  fact_terms: ["待遇", "Terms"],
  fact_pay: ["实付", "Paid"],
  fact_pay_later: ["稍后扣款", "Charged later"],
  fact_before: ["本终端用于", "Used here at"],
  fact_balance: ["余额", "Balance"],
  fact_use: ["受理号", "Use"],
  fact_read: ["识别内容", "Read"],
  fact_judged: ["判定", "Decided"],
  fact_trace: ["查询号", "Trace"],
  online: ["在线 {0} 毫秒", "Online {0} ms"],
  online_short: ["在线", "Online"],
  offline: ["离线", "Offline"],
  decided_offline: ["本终端离线判定，名单 {0} 分钟前；平台稍后复核", "here, without a line, on lists {0} min old; the platform checks later"],
  decided_offline_bare: ["本终端离线判定", "here, without a line"],
  decided_online: ["平台", "by the platform"],
  everyone: ["所有持卡人", "Every holder"],
  repeated: ["平台，重复提交", "by the platform, sent twice"],
  free: ["免费", "Free"],
  yuan: ["{0}元", "¥{0}"],

  ages: ["名单 {0}前", "Lists {0} old"],
  ages_none: ["名单未取得", "No lists yet"],
  ages_old: ["名单已过期，离线不受理", "Lists too old: nothing without a line"],
  seconds: ["{0} 秒", "{0} s"],
  minutes: ["{0} 分钟", "{0} min"],
  hours: ["{0} 小时", "{0} h"],
  days: ["{0} 天", "{0} d"],
  ago: ["{0}前", "{0} ago"],
  never: ["未取得", "never had"],
  recent: ["最近", "Recent"],
  by_platform: ["平台：{0}", "platform: {0}"],
  recent_none: ["还没有", "Nothing yet"],
  queue: ["离线待上传 {0} 条", "{0} to upload"],

  state_line: ["网络与时间", "Line and time"],
  state_up: ["连接", "Line"],
  state_contact: ["平台最近答复", "Platform last heard"],
  state_clock: ["本机时钟改正", "Clock set by"],
  state_clock_none: ["尚无时间信号", "no time signal yet"],
  state_clock_s: ["{0} 秒", "{0} s"],
  state_lists: ["离线判定所用", "What is decided by, without a line"],
  state_list: ["名单", "List"],
  state_age: ["已有", "Age"],
  state_oldest: ["至多", "At most"],
  state_none: ["尚未取得离线包：离线时不受理。", "There is no pack yet: nothing is taken without a line."],
  list_codes: ["二维码挂失名单", "Lost e-cards"],
  list_papers: ["纸质码名单", "Paper codes"],
  list_cards: ["实体卡挂失名单", "Lost cards"],
  list_terminals: ["停用终端", "Suspended terminals"],
  list_keys: ["已吊销密钥", "Withdrawn keys"],
  state_unchecked: ["离线时不能核对：钱包余额、次数和套票、接待容量、卡片功能（出示二维码时）和卡片密文；分进出的项目离线不受理。平台收到流水后逐笔复核，差额由项目规定的一方承担。", "Not checked without a line: the purse, quotas and passes, capacity, a card's functions (where a code is shown) and its cryptogram; items with tapping in and out wait. The platform checks each line when it arrives; the item says who bears a difference."],
  state_journal: ["离线流水", "Journal"],
  state_journal_none: ["没有离线流水。", "No lines were written."],
  state_sequence: ["序号", "No."],
  state_time: ["时间", "Time"],
  state_gate: ["本终端", "Here"],
  state_platform: ["平台", "Platform"],
  state_waiting: ["待上传", "to upload"],
  state_shortfall: ["差额{0}", "shortfall {0}"],
  state_double: ["重复使用", "double use"],
  state_self: ["自检", "Self-test"],
  self_persist: ["存储不会被浏览器清除", "Storage that the browser keeps"],
  self_worker: ["断网可重新打开", "Opens again without a network"],
  self_camera: ["摄像头", "Camera"],
  self_sound: ["声音", "Sound"],
  yes: ["正常", "fine"],
  no: ["不可用", "not so"],
  sound_asleep: ["点按页面任意处后可用", "after a touch anywhere on the page"],
  refresh: ["立即同步", "Synchronise now"],
  pair_again: ["重新配对", "Pair again"],
  pair_again_why: ["重新配对后使用新的流水簿；未上传的流水会继续上传（旧密钥保留一天）。", "Pairing again begins a new journal; lines not uploaded yet still go (the old key is good for a day)."],

  tap_title: ["模拟读卡器", "Simulated reader"],
  tap_why: ["本机没有读卡器时，用演示卡代替。卡片密文与终端、流水簿和序号绑定。", "Stands in for a reader, with a card of the demo. The chip's answer is bound to terminal, journal and sequence."],
  tap_asks: ["本次读卡", "This reading"],
  tap_answer: ["读卡器的回答，或演示卡", "The reader's answer, or a card of the demo"],
  tap_hint: ["JSON：{number, counter, cryptogram}；或 {number, key, counter}，由本页代芯片计算", "JSON: {number, counter, cryptogram}; or {number, key, counter}, from which the page answers as the chip would"],
  tap_do: ["贴卡", "Tap"],
  tap_wrong: ["不是读卡器的回答，也不是演示卡。", "This is neither a reader's answer nor a card of the demo."],
};

let language = "zh";

/** The page's language, "zh" or "en". */
export function spoken() { return language; }

/** Speak a language from now on. */
export function speak(chosen) { language = chosen === "en" ? "en" : "zh"; }

/** What a word is in the page's language; {0}, {1} … are filled in. */
export function t(key, ...filled) { return fill(WORDS[key][language === "zh" ? 0 : 1], filled); }

/** A word in both languages, as the kit and the gateway tell theirs. */
export function both(key, ...filled) { return { zh: fill(WORDS[key][0], filled), en: fill(WORDS[key][1], filled) }; }

/** Several words in both languages as one. */
export const bothOf = (all, zh, en) => ({ zh: all.map((each) => each.zh).join(zh), en: all.map((each) => each.en).join(en) });

/** Of words in both languages, those of the page's language, or of the other one. */
export function own(words) { return words[language]; }
export function other(words) { return words[language === "zh" ? "en" : "zh"]; }

function fill(text, filled) { return text.replace(/\{(\d)\}/g, (_, at) => String(filled[at])); }

/** Put words where the page asks for them: data-t for the text, data-t-label for the accessible name. */
export function put(root) {
  for (const each of root.querySelectorAll("[data-t]")) each.textContent = t(each.dataset.t);
  for (const each of root.querySelectorAll("[data-t-label]")) each.setAttribute("aria-label", t(each.dataset.tLabel));
}
