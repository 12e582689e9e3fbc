"use strict";

// The key lives in this variable and nowhere else: no storage, no cookie, no URL.
let key = "";
let shown = {};

const at = (id) => document.getElementById(id);

function say(text, refused = false) {
  at("message").textContent = text;
  at("message").classList.toggle("refused", refused);
}

async function call(method, changes) {
  const options = { method, headers: { Authorization: `Bearer ${key}` }, cache: "no-store" };
  if (changes !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(changes);
  }
  const response = await fetch("account", options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.message || `The server answered ${response.status}.`);
  return answer;
}

function fieldsOf(account) {
  const webhook = account.webhook || { url: "", events: [] };
  return {
    name: account.name,
    webhook_url: webhook.url,
    sms_received: webhook.events.includes("sms_received"),
    number_format: account.number_format,
    time_zone: account.time_zone,
  };
}

function show(account) {
  for (const id of ["login", "user_id", "status", "open_rentals"]) {
    at(id).textContent = account[id];
  }
  at("balance").textContent = account.balance.toFixed(6).replace(/0{1,4}$/, "");
  shown = fieldsOf(account);
  for (const id of ["name", "webhook_url", "number_format", "time_zone"]) at(id).value = shown[id];
  at("sms_received").checked = shown.sms_received;
  at("opening").hidden = true;
  at("account").hidden = false;
}

// Only what was changed is sent: a webhook URL that is sent again would get a new secret.
function changed() {
  const changes = {};
  for (const id of ["name", "webhook_url", "number_format", "time_zone"]) {
    const value = at(id).value.trim();
    if (value !== shown[id]) changes[id] = value;
  }
  if (at("webhook_url").value.trim() && at("sms_received").checked !== shown.sms_received) {
    const more = at("sms_received").checked ? ["sms_received"] : [];
    changes.webhook_events = ["otp_received", ...more];
  }
  return changes;
}

function showSecret(secret) {
  at("secret").value = secret || "";
  at("secret-shown").hidden = !secret;
}

async function attempt(action) {
  try {
    await action();
  } catch (error) {
    say(error.message, true);
  }
}

at("opening").addEventListener("submit", (event) => {
  event.preventDefault();
  key = at("key").value.trim();
  at("key").value = "";
  attempt(async () => {
    show((await call("GET")).account);
    say("");
    at("name").focus();
  });
});

at("profile").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const answer = await call("PATCH", changed());
    show(answer.account);
    showSecret(answer.webhook_secret);
    say("Saved.");
  });
});

at("forget").addEventListener("click", () => {
  key = "";
  showSecret("");
  at("account").hidden = true;
  at("opening").hidden = false;
  say("The key is forgotten.");
  at("key").focus();
});

for (const zone of Intl.supportedValuesOf ? ["UTC", ...Intl.supportedValuesOf("timeZone")] : []) {
  const option = document.createElement("option");
  option.value = zone;
  at("time_zones").append(option);
}
