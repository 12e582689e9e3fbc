// Reads JSON cases {name, secret, body, headers} and prints {name: whether standardwebhooks takes it}.
import { readFileSync } from "node:fs";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const taken = {};
for (const { name, secret, body, headers } of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    new Webhook(secret).verify(body, headers);
    taken[name] = true;
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    taken[name] = false;
  }
}
console.log(JSON.stringify(taken));
