// Usage: node scenarios.mjs NAME. Ends with 0 when the sandbox has answered the real client as Stripe would.
import assert from 'node:assert/strict';
import { eventually, listen, press, refused, stripe } from './client.mjs';
import * as plans from './plans.mjs';

async function openInvoice(amount = 4500) {
  const customer = await stripe.customers.create({ email: 'ada@example.com', name: 'Ada L.', metadata: { customer_id: 'c-17' } });
  const invoice = await stripe.invoices.create({
    customer: customer.id,
    collection_method: 'send_invoice',
    days_until_due: 7,
    currency: 'eur',
    auto_advance: false,
    pending_invoice_items_behavior: 'exclude',
    metadata: { commission_id: '42' },
    payment_settings: { payment_method_types: ['card'] },
  });
  await stripe.invoiceItems.create({ customer: customer.id, invoice: invoice.id, amount, currency: 'eur', description: 'Portrait' });
  return await stripe.invoices.finalizeInvoice(invoice.id, { auto_advance: false });
}

async function paidInvoice(amount) {
  const invoice = await openInvoice(amount);
  const paid = await stripe.invoices.pay(invoice.id, { payment_method: 'pm_card_visa', expand: ['payments'] });
  assert.equal(paid.status, 'paid');
  return paid;
}

async function invoiceToRefund() {
  const hook = await listen(['invoice.paid', 'charge.refunded', 'refund.created']);
  const paid = await paidInvoice();
  const intent = paid.payments.data[0].payment.payment_intent;
  const found = await stripe.invoicePayments.list({ payment: { type: 'payment_intent', payment_intent: intent } });
  assert.equal(found.data[0].invoice, paid.id);

  const event = await hook.received('invoice.paid');
  assert.equal(event.data.object.id, paid.id);
  assert.equal(event.data.object.metadata.commission_id, '42');
  assert.equal(event.api_version, '2026-07-29.dahlia');

  const part = await stripe.refunds.create({ payment_intent: intent, amount: 1500, reason: 'requested_by_customer', metadata: { commission_id: '42' } });
  assert.equal(part.status, 'succeeded');
  const rest = await stripe.refunds.create({ payment_intent: intent, expand: ['charge', 'balance_transaction'] });
  assert.equal(rest.amount, 3000);
  assert.equal(rest.charge.amount_refunded, 4500);
  assert.equal(rest.charge.refunded, true);
  assert.equal(rest.balance_transaction.net, -3000);
  await refused(stripe.refunds.create({ payment_intent: intent }), 'StripeInvalidRequestError', 'charge_already_refunded');
  assert.equal((await hook.received('charge.refunded')).data.previous_attributes.amount_refunded, 0);
  await hook.received('refund.created');

  const refunds = [];
  for await (const refund of stripe.refunds.list({ payment_intent: intent, limit: 1 })) {
    refunds.push(refund.id);
  }

  assert.deepEqual(refunds, [rest.id, part.id]);
  hook.close();
}

async function eventPages() {
  const since = Math.floor(Date.now() / 1000) - 60;
  const paid = await paidInvoice();
  const walked = [];
  for await (const event of stripe.events.list({ limit: 2, created: { gte: since } })) {
    walked.push(event);
  }

  assert.ok(walked.length > 5);
  assert.equal(new Set(walked.map(it => it.id)).size, walked.length);
  assert.ok(walked.every((it, at) => at === 0 || it.created <= walked[at - 1].created), 'newest first');
  const two = await stripe.events.list({ types: ['invoice.paid', 'customer.created'], limit: 100 });
  assert.deepEqual([...new Set(two.data.map(it => it.type))].sort(), ['customer.created', 'invoice.paid']);
  const one = await stripe.events.list({ type: 'invoice.paid' });
  assert.equal(one.data[0].data.object.id, paid.id);
  assert.equal((await stripe.events.retrieve(one.data[0].id)).type, 'invoice.paid');
  assert.equal((await stripe.events.list({ created: { gt: Math.floor(Date.now() / 1000) + 60 } })).data.length, 0);
}

async function errorsAndKeys() {
  const made = await stripe.customers.create({ email: 'ada@example.com' }, { idempotencyKey: 'customer-1' });
  const again = await stripe.customers.create({ email: 'ada@example.com' }, { idempotencyKey: 'customer-1' });
  assert.equal(again.id, made.id);
  assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true');
  await refused(stripe.customers.create({ email: 'other@example.com' }, { idempotencyKey: 'customer-1' }), 'StripeIdempotencyError', undefined);
  await refused(stripe.customers.retrieve('cus_none'), 'StripeInvalidRequestError', 'resource_missing');
  await refused(stripe.customers.create({ colour: 'red' }), 'StripeInvalidRequestError', 'parameter_unknown');
  await refused(
    stripe.paymentIntents.create({ amount: 900, currency: 'eur', confirm: true, payment_method: 'pm_card_chargeDeclined' }),
    'StripeCardError',
    'card_declined');
  await refused(stripe.customers.list({}, { apiKey: 'sk_test_wrong' }), 'StripeAuthenticationError', undefined);
  await refused(stripe.balance.retrieve({}, { stripeAccount: 'acct_none' }), 'StripePermissionError', 'account_invalid');
}

async function connect() {
  const hook = await listen(['account.updated', 'payout.paid'], true);
  const account = await stripe.accounts.create({
    type: 'express',
    country: 'DE',
    email: 'art@example.com',
    business_type: 'individual',
    capabilities: { transfers: { requested: true } },
    settings: { payouts: { schedule: { interval: 'manual' } } },
    metadata: { freelancer_id: '42' },
  });
  const link = await stripe.accountLinks.create({
    account: account.id,
    type: 'account_onboarding',
    refresh_url: 'http://127.0.0.1/again',
    return_url: 'http://127.0.0.1/done',
  });
  assert.equal(await press(link.url, 'complete'), 'http://127.0.0.1/done');
  assert.equal((await stripe.accounts.retrieve(account.id)).payouts_enabled, true);

  const paid = await paidInvoice();
  const intent = await stripe.paymentIntents.retrieve(paid.payments.data[0].payment.payment_intent, { expand: ['latest_charge.balance_transaction'] });
  const { fee, net } = intent.latest_charge.balance_transaction;
  assert.ok(fee > 0);
  assert.equal(net, 4500 - fee);
  const transfer = await stripe.transfers.create({
    amount: 3600,
    currency: 'eur',
    destination: account.id,
    source_transaction: intent.latest_charge.id,
    transfer_group: 'commission_42',
  });
  const reversal = await stripe.transfers.createReversal(transfer.id, { amount: 1200, metadata: { refund_id: 're_1' } });
  const now = await stripe.transfers.retrieve(transfer.id);
  assert.equal(now.amount_reversed, 1200);
  assert.equal(now.reversals.data[0].id, reversal.id);
  assert.equal((await stripe.transfers.retrieveReversal(transfer.id, reversal.id)).amount, 1200);

  const acting = { stripeAccount: account.id };
  assert.equal((await stripe.balance.retrieve({}, acting)).available[0].amount, 2400);
  await refused(stripe.payouts.create({ amount: 2401, currency: 'eur' }, acting), 'StripeInvalidRequestError', 'balance_insufficient');
  const payout = await stripe.payouts.create({ amount: 2400, currency: 'eur', metadata: { payout_id: '9' } }, acting);
  const told = await hook.received('payout.paid');
  assert.equal(told.account, account.id);
  assert.equal(told.data.object.id, payout.id);
  hook.close();
}

async function dispute() {
  const hook = await listen(['charge.dispute.created', 'charge.dispute.closed', 'charge.dispute.funds_reinstated']);
  const intent = await stripe.paymentIntents.create({
    amount: 4500,
    currency: 'eur',
    confirm: true,
    payment_method: 'pm_card_createDispute',
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  });
  const told = await hook.received('charge.dispute.created');
  await refused(stripe.refunds.create({ payment_intent: intent.id }), 'StripeInvalidRequestError', 'charge_disputed');
  const answered = await stripe.disputes.update(told.data.object.id, { evidence: { uncategorized_text: 'winning_evidence' }, submit: true });
  assert.equal(answered.status, 'under_review');
  assert.equal((await hook.received('charge.dispute.closed')).data.object.status, 'won');
  await hook.received('charge.dispute.funds_reinstated');
  assert.equal((await stripe.disputes.list({ payment_intent: intent.id })).data[0].balance_transactions.length, 2);
  await eventually(async () => (await stripe.refunds.create({ payment_intent: intent.id })).status === 'succeeded', 'a refund after the dispute');
  hook.close();
}

const scenarios = { invoiceToRefund, eventPages, errorsAndKeys, connect, dispute, ...plans };
try {
  await scenarios[process.argv[2]]();
} catch (fault) {
  // A fault of the client prints as pages of headers; what it says and where it was is enough.
  console.error(`${fault.type ?? fault.name}: ${fault.message}\n${fault.stack}`);
  process.exit(1);
}
