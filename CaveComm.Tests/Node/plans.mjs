// Plans: products, prices, subscriptions, checkout and the customer portal.
import assert from 'node:assert/strict';
import { control, eventually, listen, press, refused, stripe } from './client.mjs';

const day = 24 * 3600;

async function plan(amount = 900) {
  const product = await stripe.products.create({ name: 'Basic', metadata: { plan: 'basic' } });
  return await stripe.prices.create({
    currency: 'eur',
    product: product.id,
    unit_amount: amount,
    recurring: { interval: 'month' },
    lookup_key: `plan_${amount}`,
    transfer_lookup_key: true,
  });
}

async function member(card = 'pm_card_visa') {
  const customer = await stripe.customers.create({ email: 'ada@example.com', name: 'Ada L.' });
  const method = await stripe.paymentMethods.attach(card, { customer: customer.id });
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } });
  return customer;
}

export async function subscription() {
  const hook = await listen(['customer.subscription.created', 'customer.subscription.updated', 'customer.subscription.deleted', 'invoice.paid']);
  const price = await plan();
  const found = await stripe.prices.list({ lookup_keys: ['plan_900'], active: true, expand: ['data.product'] });
  assert.equal(found.data[0].product.name, 'Basic');

  const customer = await member();
  const waiting = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id, quantity: 1 }],
    payment_behavior: 'default_incomplete',
    payment_settings: { save_default_payment_method: 'on_subscription' },
    billing_mode: { type: 'flexible' },
    metadata: { tenant_id: '7' },
    expand: ['latest_invoice.confirmation_secret', 'latest_invoice.payments'],
  });
  assert.equal(waiting.status, 'incomplete');
  assert.ok(waiting.latest_invoice.confirmation_secret.client_secret.startsWith('pi_'));
  assert.equal(waiting.latest_invoice.parent.subscription_details.metadata.tenant_id, '7');
  await stripe.paymentIntents.confirm(waiting.latest_invoice.payments.data[0].payment.payment_intent, { payment_method: 'pm_card_visa' });
  const active = await stripe.subscriptions.retrieve(waiting.id, { expand: ['default_payment_method'] });
  assert.equal(active.status, 'active');
  assert.equal(active.default_payment_method.card.last4, '4242');
  assert.equal((await hook.received('customer.subscription.created')).data.object.status, 'incomplete');
  assert.equal((await hook.received('customer.subscription.updated')).data.previous_attributes.status, 'incomplete');

  const end = active.items.data[0].current_period_end;
  await control({ advanceSeconds: end - Math.floor(Date.now() / 1000) + 2 * 3600 });
  const renewed = await eventually(async () => {
    const invoices = await stripe.invoices.list({ subscription: active.id, status: 'paid' });
    return invoices.data.find(it => it.billing_reason === 'subscription_cycle');
  }, 'the renewal to be paid');
  assert.equal(renewed.amount_paid, 900);
  assert.equal(renewed.lines.data[0].period.start, end);

  const leaving = await stripe.subscriptions.update(active.id, { cancel_at_period_end: true });
  assert.equal(leaving.cancel_at, leaving.items.data[0].current_period_end);
  await control({ advanceSeconds: 32 * day });
  await eventually(async () => (await stripe.subscriptions.retrieve(active.id)).status === 'canceled', 'the end of the last period');
  assert.equal((await hook.received('customer.subscription.deleted')).data.object.ended_at, leaving.cancel_at);
  assert.deepEqual((await stripe.subscriptions.list({ customer: customer.id })).data, []);
  assert.equal((await stripe.subscriptions.list({ customer: customer.id, status: 'all' })).data.length, 1);
  hook.close();
}

export async function planChange() {
  const [small, large] = [await plan(900), await plan(1900)];
  const customer = await member();
  const begun = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: small.id }] });
  assert.equal(begun.status, 'active');
  const item = begun.items.data[0].id;
  const changed = await stripe.subscriptions.update(begun.id, {
    items: [{ id: item, price: large.id }],
    proration_behavior: 'always_invoice',
    payment_behavior: 'pending_if_incomplete',
    expand: ['latest_invoice'],
  });
  assert.equal(changed.items.data[0].price.id, large.id);
  assert.equal(changed.latest_invoice.billing_reason, 'subscription_update');
  assert.ok(Math.abs(changed.latest_invoice.amount_paid - 1000) <= 1);
  assert.equal(changed.latest_invoice.lines.data.length, 2);
  const extra = await stripe.subscriptionItems.create({ subscription: begun.id, price: small.id, quantity: 2, proration_behavior: 'none' });
  assert.equal((await stripe.subscriptionItems.list({ subscription: begun.id })).data.length, 2);
  await stripe.subscriptionItems.del(extra.id, { proration_behavior: 'none' });
  await refused(stripe.subscriptionItems.del(item), 'StripeInvalidRequestError', undefined);
  assert.equal((await stripe.subscriptions.cancel(begun.id)).status, 'canceled');
  await refused(stripe.subscriptions.cancel(begun.id), 'StripeInvalidRequestError', 'resource_missing');
}

export async function checkout() {
  const hook = await listen(['checkout.session.completed', 'checkout.session.expired']);
  const once = await stripe.checkout.sessions.create({
    mode: 'payment',
    client_reference_id: 'commission_42',
    customer_email: 'ada@example.com',
    line_items: [{ quantity: 1, price_data: { currency: 'eur', unit_amount: 4500, product_data: { name: 'Portrait' } } }],
    payment_intent_data: { metadata: { commission_id: '42' }, transfer_group: 'commission_42' },
    metadata: { commission_id: '42' },
    success_url: 'http://127.0.0.1/paid?session_id={CHECKOUT_SESSION_ID}',
    cancel_url: 'http://127.0.0.1/c/42',
  });
  assert.equal(once.payment_intent, null);
  assert.equal(await press(once.url, 'leave'), 'http://127.0.0.1/c/42');
  assert.equal(await press(once.url, 'pay'), `http://127.0.0.1/paid?session_id=${once.id}`);
  const paid = await stripe.checkout.sessions.retrieve(once.id, { expand: ['payment_intent', 'line_items'] });
  assert.equal(paid.payment_status, 'paid');
  assert.equal(paid.payment_intent.metadata.commission_id, '42');
  assert.equal(paid.line_items.data[0].amount_total, 4500);
  const told = await hook.received('checkout.session.completed');
  assert.equal(told.data.object.client_reference_id, 'commission_42');

  const price = await plan();
  const member = await stripe.customers.create({ email: 'ada@example.com' });
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: member.id,
    line_items: [{ price: price.id, quantity: 1 }],
    subscription_data: { metadata: { tenant_id: '7' }, billing_mode: { type: 'flexible' } },
    success_url: 'http://127.0.0.1/plan/ok',
  });
  await press(session.url, 'decline');
  assert.equal((await stripe.subscriptions.list({ customer: member.id, status: 'all' })).data.length, 0);
  await press(session.url, 'pay');
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription', 'invoice'] });
  assert.equal(done.subscription.status, 'active');
  assert.equal(done.subscription.metadata.tenant_id, '7');
  assert.equal(done.invoice.amount_paid, 900);

  const late = await stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [{ price: (await stripe.prices.create({ currency: 'eur', unit_amount: 500, product_data: { name: 'Sketch' } })).id, quantity: 2 }],
    success_url: 'http://127.0.0.1/paid',
  });
  assert.equal(late.amount_total, 1000);
  assert.equal((await stripe.checkout.sessions.expire(late.id)).status, 'expired');
  assert.equal((await hook.received('checkout.session.expired')).data.object.id, late.id);
  await refused(stripe.checkout.sessions.expire(late.id), 'StripeInvalidRequestError', undefined);
  hook.close();
}

export async function portal() {
  const customer = await member();
  const begun = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: (await plan()).id }] });
  await refused(stripe.billingPortal.sessions.create({ customer: customer.id }), 'StripeInvalidRequestError', undefined);
  await stripe.billingPortal.configurations.create({ features: { subscription_cancel: { enabled: true, mode: 'at_period_end' } } });
  const session = await stripe.billingPortal.sessions.create({ customer: customer.id, return_url: 'http://127.0.0.1/plan' });
  assert.equal(await press(session.url, 'cancel'), 'http://127.0.0.1/plan');
  assert.equal((await stripe.subscriptions.retrieve(begun.id)).cancel_at_period_end, true);
  await press(session.url, 'keep');
  assert.equal((await stripe.subscriptions.retrieve(begun.id)).cancel_at, null);
}
