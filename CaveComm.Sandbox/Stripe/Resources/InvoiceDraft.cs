using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

internal static class InvoiceDraft
{
    /// <summary>A draft with all the fields of one, made of nothing but its customer; the caller fills in, puts and tells.</summary>
    public static JsonObject Make(StripeUnit unit, JsonObject customer, string currency, string billingReason)
    {
        var invoice = unit.New("invoice", "in");
        foreach (var field in new[]
        {
            "account_tax_ids", "application", "automatically_finalizes_at", "custom_fields", "customer_account", "customer_shipping",
            "default_payment_method", "default_source", "description", "due_date", "effective_at", "ending_balance", "footer",
            "from_invoice", "last_finalization_error", "latest_revision", "next_payment_attempt", "number", "on_behalf_of", "parent",
            "receipt_number", "rendering", "shipping_cost", "shipping_details", "statement_descriptor", "test_clock",
            "webhooks_delivered_at",
        })
        {
            invoice[field] = null;
        }

        foreach (var field in new[]
        {
            "amount_due", "amount_overpaid", "amount_paid", "amount_paid_off_stripe", "amount_remaining", "amount_shipping",
            "attempt_count", "post_payment_credit_notes_amount", "pre_payment_credit_notes_amount", "starting_balance",
        })
        {
            invoice[field] = 0L;
        }

        foreach (var field in new[]
        {
            "customer_tax_ids", "default_tax_rates", "discounts", "total_discount_amounts", "total_pretax_credit_amounts", "total_taxes",
        })
        {
            invoice[field] = new JsonArray();
        }

        invoice["account_country"] = "DE";
        invoice["account_name"] = unit.World.Options.AccountName;
        invoice["attempted"] = false;
        invoice["auto_advance"] = false;
        invoice["automatic_tax"] = new JsonObject
        {
            ["disabled_reason"] = null,
            ["enabled"] = false,
            ["liability"] = null,
            ["provider"] = null,
            ["status"] = null,
        };
        invoice["billing_reason"] = billingReason;
        invoice["collection_method"] = "charge_automatically";
        invoice["currency"] = currency;
        invoice["customer"] = (string)customer["id"]!;
        invoice["customer_address"] = customer["address"]?.DeepClone();
        invoice["customer_email"] = (string?)customer["email"];
        invoice["customer_name"] = (string?)customer["name"];
        invoice["customer_phone"] = (string?)customer["phone"];
        invoice["customer_tax_exempt"] = (string?)customer["tax_exempt"];
        invoice["issuer"] = new JsonObject { ["type"] = "self" };
        invoice["lines"] = Lists.Of($"/v1/invoices/{invoice["id"]}/lines", []);
        invoice["metadata"] = new JsonObject();
        invoice["payment_settings"] = new JsonObject
        {
            ["default_mandate"] = null,
            ["payment_method_options"] = null,
            ["payment_method_types"] = null,
        };
        invoice["period_end"] = unit.Now;
        invoice["period_start"] = unit.Now;
        invoice["status"] = "draft";
        invoice["status_transitions"] = new JsonObject
        {
            ["finalized_at"] = null,
            ["marked_uncollectible_at"] = null,
            ["paid_at"] = null,
            ["voided_at"] = null,
        };
        Invoices.AddUp(invoice);
        return invoice;
    }
}
