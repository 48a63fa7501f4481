// The chat page: follows the live feed, draws what it says, and sends what is typed and pressed.

import { dayElement, element, messageElement } from "/render.js";

const KEPT = 500;
const JOIN_MS = 5 * 60 * 1000;
const SILENCE_MS = 25_000;
const RETRY_MS = [1000, 2000, 3000, 5000];
const BUSY = { typing: "typing…", upload_photo: "sending a picture…" };

const $ = (id) => document.getElementById(id);
const scroll = $("scroll");
const log = $("log");
const text = $("text");
const list = $("suggestions");
const asked = new URLSearchParams(location.search).get("chat_id");
const query = asked ? `?chat_id=${encodeURIComponent(asked)}` : "";

let config = { chat_id: 1, bot: "Foreshock", commands: [], description: "" };
let source = null;
let failures = 0;
const timers = { retry: 0, count: 0, silence: 0, busy: 0, toast: 0 };
let following = true;
let lastTop = 0;
let unseen = 0;
let unread = 0;
let choice = -1;
let shown = [];

/* ---- what the server says ---- */

function connect() {
  clearTimeout(timers.retry);
  clearInterval(timers.count);
  source?.close();
  source = new EventSource(`/live${query}`);
  source.addEventListener("error", lost);
  listen("snapshot", drawAll);
  listen("menu", configure);
  listen("message", (message) => put(message, true));
  listen("edited", (message) => put(message, false));
  listen("deleted", remove);
  listen("action", busy);
  listen("answer", answered);
  listen("heartbeat", () => {});
  watch();
}

function listen(kind, handle) {
  source.addEventListener(kind, (event) => {
    watch();
    handle(JSON.parse(event.data));
  });
}

function watch() {
  clearTimeout(timers.silence);
  timers.silence = setTimeout(lost, SILENCE_MS);
}

function lost() {
  source.close();
  clearTimeout(timers.silence);
  clearTimeout(timers.retry);
  clearInterval(timers.count);
  const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
  failures += 1;
  state("reconnecting", "reconnecting…");
  let seconds = wait / 1000;
  const tell = () => {
    $("banner-count").textContent = `Trying again in ${seconds}\u00a0s.`;
    seconds = Math.max(1, seconds - 1);
  };
  const moved = failures > 8 ? " If Foreshock was started again, open the link that it printed." : "";
  $("banner-text").textContent = `Connection lost. The chat comes back by itself.${moved}`;
  tell();
  $("banner").hidden = false;
  timers.count = setInterval(tell, 1000);
  timers.retry = setTimeout(connect, wait);
}

function state(name, words) {
  $("state").dataset.state = name;
  $("state").textContent = words;
}

function configure(fresh) {
  config = fresh;
  $("bot-name").textContent = config.bot;
  if (config.description) $("empty-text").textContent = config.description;
  title();
}

function drawAll(snapshot) {
  failures = 0;
  $("banner").hidden = true;
  state("live", "live");
  configure(snapshot.config);
  const known = newest();
  log.setAttribute("aria-busy", "true");
  const place = following ? null : scroll.scrollHeight - scroll.scrollTop;
  log.replaceChildren();
  snapshot.messages.forEach(append);
  log.setAttribute("aria-busy", "false");
  settle();
  if (place === null) toEnd();
  else scroll.scrollTop = scroll.scrollHeight - place;
  if (known) noticed(snapshot.messages.filter((m) => m.from_bot && m.message_id > known).length);
}

/* ---- messages ---- */

const actions = {
  say: (words) => say(words),
  press,
  copy: async (words) => {
    await navigator.clipboard.writeText(words);
    toast("Copied");
  },
  show: (id) => {
    const found = find(id);
    if (!found) return;
    found.scrollIntoView({ block: "center", behavior: "smooth" });
    found.classList.remove("flash");
    requestAnimationFrame(() => found.classList.add("flash"));
  },
  botName: () => config.bot,
};

function find(id) {
  return log.querySelector(`[data-id="${Number(id)}"]`);
}

function lastMessage() {
  return log.lastElementChild?.lastElementChild;
}

function newest() {
  return Number(lastMessage()?.dataset.id || 0);
}

function join(made, before) {
  const close = before?.dataset.id && before.dataset.day === made.dataset.day
    && before.classList.contains("mine") === made.classList.contains("mine")
    && !before.classList.contains("keyed")
    && made.dataset.ts - before.dataset.ts < JOIN_MS;
  made.classList.toggle("joined", Boolean(close));
}

function append(message) {
  const made = messageElement(message, actions);
  if (log.lastElementChild?.dataset.day !== made.dataset.day) log.append(dayElement(message.ts_ms));
  join(made, lastMessage());
  log.lastElementChild.append(made);
  return made;
}

function put(message, isNew) {
  const old = find(message.message_id);
  if (old) {
    const made = messageElement(message, actions);
    join(made, old.previousElementSibling);
    old.replaceWith(made);
  } else if (isNew) {
    append(message).classList.add("fresh");
    settle();
    if (message.from_bot) {
      idle();
      noticed(1);
    } else {
      following = true;
    }
  }
  if (following) toEnd();
}

function remove({ message_id: id }) {
  find(id)?.remove();
  settle();
}

function settle() {
  const messages = log.querySelectorAll(".message");
  for (let i = 0; i < messages.length - KEPT; i += 1) messages[i].remove();
  for (const day of [...log.children]) {
    if (!day.querySelector(".message")) day.remove();
  }
  $("empty").hidden = log.childElementCount > 0;
}

function busy({ action }) {
  state("busy", BUSY[action] || "working…");
  clearTimeout(timers.busy);
  timers.busy = setTimeout(idle, 5000);
}

function idle() {
  clearTimeout(timers.busy);
  if ($("state").dataset.state === "busy") state("live", "live");
}

function answered({ message_id: id, text: words, alert: important }) {
  find(id)?.querySelectorAll(".key").forEach((key) => key.removeAttribute("aria-busy"));
  if (words) toast(words, important ? 8000 : 3500);
}

/* ---- reading ---- */

function toEnd() {
  scroll.scrollTop = scroll.scrollHeight;
  seen();
}

function seen() {
  unseen = 0;
  $("chip").hidden = following;
  $("chip-text").textContent = "Newest";
}

function noticed(count) {
  if (document.hidden) unread += count;
  title();
  if (following || !count) return;
  unseen += count;
  $("chip-text").textContent = unseen === 1 ? "1 new message" : `${unseen} new messages`;
  $("chip").hidden = false;
}

function title() {
  document.title = unread ? `(${unread}) ${config.bot}` : `${config.bot} chat`;
}

scroll.addEventListener("scroll", () => {
  const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  const upwards = scroll.scrollTop < lastTop;
  lastTop = scroll.scrollTop;
  const nowFollowing = atEnd || (following && !upwards);
  if (nowFollowing === following) return;
  following = nowFollowing;
  seen();
}, { passive: true });
const resized = new ResizeObserver(() => { if (following) toEnd(); });
resized.observe(scroll);
resized.observe(log);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = 0;
  title();
});
$("chip").addEventListener("click", () => {
  following = true;
  toEnd();
  text.focus({ preventScroll: true });
});
$("retry").addEventListener("click", connect);

function toast(words, forMs = 3500) {
  $("toast").textContent = words;
  $("toast").hidden = false;
  clearTimeout(timers.toast);
  timers.toast = setTimeout(() => { $("toast").hidden = true; }, forMs);
}

/* ---- writing ---- */

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ chat_id: config.chat_id, ...body }),
    signal: AbortSignal.timeout(8000),
  });
  if (!answer.ok) throw new Error(String(answer.status));
}

async function say(words) {
  closeList();
  try {
    await post("/say", { text: words });
    return true;
  } catch {
    toast("Not sent: the chat server does not answer.");
    return false;
  }
}

async function press(message, data, button) {
  button.setAttribute("aria-busy", "true");
  setTimeout(() => button.removeAttribute("aria-busy"), 8000);
  try {
    await post("/press", { message_id: message.message_id, data });
  } catch {
    button.removeAttribute("aria-busy");
    toast("That button could not be pressed.");
  }
}

async function submit() {
  const words = text.value.trim();
  if (!words) return;
  text.value = "";
  grow();
  if (!(await say(words)) && !text.value) text.value = words;
  grow();
}

function grow() {
  text.style.height = "44px";
  text.style.height = `${Math.min(text.scrollHeight + 2, 148)}px`;
  $("send").disabled = !text.value.trim();
}

/* ---- commands ---- */

function openList(commands, note = "") {
  shown = commands;
  choice = -1;
  list.replaceChildren(...commands.map(option));
  if (!commands.length) list.append(element("li", "none", note));
  list.hidden = false;
  list.scrollTop = 0;
  $("menu").setAttribute("aria-expanded", "true");
}

function closeList() {
  list.hidden = true;
  choice = -1;
  text.removeAttribute("aria-activedescendant");
  $("menu").setAttribute("aria-expanded", "false");
}

function option(command, i) {
  const made = element("li");
  made.id = `command-${i}`;
  made.setAttribute("role", "option");
  made.setAttribute("aria-selected", "false");
  made.append(element("b", "", `/${command.command}`), element("span", "", command.description));
  made.addEventListener("mousedown", (event) => event.preventDefault());
  made.addEventListener("click", () => choose(i));
  return made;
}

function choose(i) {
  if (text.value.startsWith("/")) text.value = "";
  grow();
  say(`/${shown[i].command}`);
}

function move(step) {
  choice = (choice + step + shown.length + (choice < 0 && step < 0 ? 1 : 0)) % shown.length;
  [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === choice)));
  list.children[choice].scrollIntoView({ block: "nearest" });
  text.setAttribute("aria-activedescendant", `command-${choice}`);
}

function suggest() {
  const typed = /^\/(\w*)$/.exec(text.value);
  const fitting = typed ? config.commands.filter((c) => c.command.startsWith(typed[1].toLowerCase())) : [];
  if (fitting.length) openList(fitting);
  else closeList();
}

function listKey(event) {
  if (event.key === "Escape") closeList();
  else if (event.key === "ArrowDown") move(1);
  else if (event.key === "ArrowUp") move(-1);
  else if (event.key === "Enter" && choice >= 0) choose(choice);
  else if (event.key === "Tab" && !event.shiftKey && text.value.startsWith("/")) {
    text.value = `/${shown[Math.max(choice, 0)].command} `;
    grow();
    closeList();
  } else return false;
  event.preventDefault();
  return true;
}

text.addEventListener("input", () => { grow(); suggest(); });
text.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (!list.hidden && shown.length && listKey(event)) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    submit();
  }
});
$("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
$("menu").addEventListener("click", () => {
  if (!list.hidden) return closeList();
  openList(config.commands, "The bot has not said yet which commands it knows.");
  text.focus({ preventScroll: true });
});
$("start").addEventListener("click", () => say("/start"));
document.addEventListener("click", (event) => {
  if (!event.target.closest(".dock")) closeList();
});
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => { if (event.persisted) connect(); });

connect();
if (matchMedia("(hover: hover)").matches) text.focus({ preventScroll: true });
