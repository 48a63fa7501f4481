// Messages to elements. Text enters the page through text nodes only, never as markup.

const SIMPLE = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code",
};
const SAFE_LINK = /^(https?|tg|mailto|tel):/i;
const FOLD_UNITS = 160;

export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

// Entities nest; one that overlaps its neighbour's end is cut there.
function fill(parent, text, start, end, entities, actions) {
  let at = start;
  let i = 0;
  while (i < entities.length) {
    const entity = entities[i];
    const from = Math.max(entity.offset, at);
    const to = Math.min(entity.offset + entity.length, end);
    i += 1;
    if (to <= from) continue;
    parent.append(text.slice(at, from));
    const inner = [];
    while (i < entities.length && entities[i].offset < to) inner.push(entities[i++]);
    const piece = text.slice(from, to);
    const made = wrap(entity, piece, actions);
    parent.append(made.outer);
    if (made.inside) fill(made.inside, text, from, to, inner, actions);
    at = to;
    if (isBlock(entity) && text[at] === "\n") at += 1;
  }
  parent.append(text.slice(at, end));
}

function isBlock(entity) {
  return entity.type === "pre" || entity.type.endsWith("blockquote");
}

function wrap(entity, piece, actions) {
  const simple = SIMPLE[entity.type];
  if (simple) return same(element(simple));
  switch (entity.type) {
    case "pre": {
      const pre = element("pre");
      if (entity.language) pre.dataset.language = entity.language;
      return same(pre);
    }
    case "text_link":
    case "url":
      return same(link(entity.url || piece));
    case "bot_command":
      return same(command(piece, actions));
    case "spoiler":
      return same(spoiler());
    case "blockquote":
      return same(element("blockquote"));
    case "expandable_blockquote":
      return folded(piece);
    default:
      return same(element("span"));
  }
}

function same(outer) {
  return { outer, inside: outer };
}

function link(url) {
  const full = /^[a-z][a-z0-9+.-]*:/i.test(url) ? url : `https://${url}`;
  const made = element(SAFE_LINK.test(full) ? "a" : "span");
  if (made.tagName === "A") {
    made.href = full;
    made.target = "_blank";
    made.rel = "noopener noreferrer";
  }
  return made;
}

function command(piece, actions) {
  const made = element("button", "command");
  made.type = "button";
  made.addEventListener("click", () => actions.say(piece));
  return made;
}

function spoiler() {
  const made = element("span", "spoiler");
  made.tabIndex = 0;
  made.setAttribute("role", "button");
  made.setAttribute("aria-label", "Hidden text, press to show");
  const open = () => {
    made.classList.add("open");
    ["role", "aria-label", "tabindex"].forEach((name) => made.removeAttribute(name));
  };
  made.addEventListener("click", open);
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    open();
  });
  return made;
}

function folded(piece) {
  const outer = element("blockquote");
  const inside = element("div", "fold");
  outer.append(inside);
  if (piece.length > FOLD_UNITS || piece.split("\n").length > 3) {
    outer.classList.add("folded");
    const more = element("button", "more", "Show more");
    more.type = "button";
    more.setAttribute("aria-expanded", "false");
    more.addEventListener("click", () => {
      const open = !outer.classList.toggle("folded");
      more.textContent = open ? "Show less" : "Show more";
      more.setAttribute("aria-expanded", String(open));
    });
    outer.append(more);
  }
  return { outer, inside };
}

function photo(picture) {
  const holder = element("div", "photo");
  const image = element("img");
  image.width = picture.width;
  image.height = picture.height;
  image.alt = "Picture from the bot";
  image.addEventListener("error", () => {
    holder.classList.add("gone");
    holder.textContent = "This picture is no longer kept.";
  });
  image.src = `/photo/${encodeURIComponent(picture.file_id)}`;
  holder.append(image);
  return holder;
}

function reply(quoted, actions) {
  const made = element("button", "reply");
  made.type = "button";
  made.append(element("b", "", quoted.from_bot ? actions.botName() : "You"));
  made.append(element("span", "", quoted.text.split("\n")[0]));
  made.addEventListener("click", () => actions.show(quoted.message_id));
  return made;
}

function stamp(message) {
  const when = new Date(message.ts_ms);
  const made = element("div", "stamp");
  if (message.silent) made.append(element("span", "", "silent"));
  if (message.edits) made.append(element("span", "", "edited"));
  const time = element("time", "", when.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = when.toISOString();
  time.title = when.toLocaleString();
  made.append(time);
  return made;
}

function key(button, message, actions) {
  const outside = button.url && SAFE_LINK.test(button.url);
  const made = element(outside ? "a" : "button", "key", button.text);
  if (outside) {
    made.href = button.url;
    made.target = "_blank";
    made.rel = "noopener noreferrer";
    made.dataset.kind = "↗";
    return made;
  }
  made.type = "button";
  if (button.copy_text) {
    made.dataset.kind = "⧉";
    made.addEventListener("click", () => actions.copy(button.copy_text.text));
  } else {
    made.addEventListener("click", () => actions.press(message, button.callback_data, made));
  }
  return made;
}

function keys(message, actions) {
  const made = element("div", "keys");
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", "Buttons of this message");
  for (const row of message.keyboard) {
    const line = element("div");
    line.append(...row.map((button) => key(button, message, actions)));
    made.append(line);
  }
  return made;
}

export function messageElement(message, actions) {
  const made = element("article", "message");
  made.dataset.id = message.message_id;
  made.dataset.day = new Date(message.ts_ms).toDateString();
  made.dataset.ts = message.ts_ms;
  made.setAttribute("aria-label", message.from_bot ? actions.botName() : "You");
  made.classList.toggle("mine", !message.from_bot);
  made.classList.toggle("edited", message.edits > 0);
  made.classList.toggle("silent", message.silent);
  made.classList.toggle("keyed", message.keyboard.length > 0);
  made.classList.toggle("pictured", Boolean(message.photo));
  made.classList.toggle("bare", Boolean(message.photo) && !message.text);
  const bubble = element("div", "bubble");
  if (message.reply) bubble.append(reply(message.reply, actions));
  if (message.photo) bubble.append(photo(message.photo));
  if (message.text) {
    const text = element("div", "text");
    fill(text, message.text, 0, message.text.length, message.entities, actions);
    bubble.append(text);
  }
  bubble.append(stamp(message));
  made.append(bubble);
  if (message.keyboard.length) made.append(keys(message, actions));
  return made;
}

export function dayElement(ts) {
  const day = new Date(ts);
  const now = new Date();
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  let name = day.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" });
  if (day.toDateString() === now.toDateString()) name = "Today";
  if (day.toDateString() === yesterday.toDateString()) name = "Yesterday";
  const made = element("div", "day");
  made.dataset.day = day.toDateString();
  made.append(element("div", "date", name));
  return made;
}
