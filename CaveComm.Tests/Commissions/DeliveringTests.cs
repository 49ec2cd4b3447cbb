using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Domain.Commissions.CommissionCommand;
using static CaveComm.Tests.Support.GivenCommission;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Commissions;

/// <summary>Products, releases, downloads.</summary>
public class DeliveringTests
{
    private static readonly CommissionEvent[] DeliveredWork = [Requested, Accepted, Invoiced, Paid, Uploaded, Delivered];
    private static readonly CommissionEvent.ProductUploaded UploadedAgain = Uploaded with { ProductVersion = 2 };

    [Fact]
    public void The_product_of_paid_work_is_delivered_at_once() => Given(Requested, Accepted, Invoiced, Paid).When(new UploadProduct(Files)).Then(Uploaded, Delivered);

    [Fact]
    public void The_product_of_unpaid_work_waits()
    {
        Given(Requested, Accepted, Invoiced).When(new UploadProduct(Files)).Then(Uploaded);
        Given(RequestedOnDelivery, Accepted).When(new UploadProduct(Files)).Then(Uploaded);
        Given(Requested, Accepted, Invoiced, HalfPaid).When(new UploadProduct(Files)).Then(Uploaded);
    }

    [Fact]
    public void A_product_without_files_is_refused() => Given(Requested, Accepted, Invoiced, Paid).When(new UploadProduct([])).ThenRefused(RefusalKind.Invalid, "no-files");

    [Fact]
    public void There_is_no_product_of_a_request_or_of_ended_work()
    {
        Given(Requested).When(new UploadProduct(Files)).ThenRefused("wrong-stage");
        Given(Requested, Declined).When(new UploadProduct(Files)).ThenRefused("wrong-stage");
        Given(Requested, Accepted, Cancelled).When(new UploadProduct(Files)).ThenRefused("wrong-stage");
    }

    [Fact]
    public void Sending_again_before_the_delivery_replaces_the_product_and_delivers_the_newest_only()
    {
        Given(RequestedOnDelivery, Accepted, Uploaded).When(new UploadProduct(Files)).Then(UploadedAgain);
        Given(Requested, Accepted, Invoiced, Uploaded, UploadedAgain).When(Some.RecordPayment).Then(Paid, new CommissionEvent.Delivered(2));
    }

    [Fact]
    public void Sending_again_after_the_delivery_delivers_a_new_version()
    {
        Given(DeliveredWork).When(new UploadProduct(Files)).Then(UploadedAgain, new CommissionEvent.Delivered(2));
        Given([.. DeliveredWork, PayoutRequested, PaidOut]).When(new UploadProduct(Files)).Then(UploadedAgain, new CommissionEvent.Delivered(2));
    }

    [Fact]
    public void The_freelancer_can_release_an_unpaid_product() =>
        Given(RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin).When(new Release()).Then(Released, Delivered);

    [Fact]
    public void What_is_not_there_cannot_be_released() => Given(Requested, Accepted, Invoiced).When(new Release()).ThenRefused("nothing-to-deliver");

    [Fact]
    public void A_request_and_ended_work_cannot_be_released()
    {
        Given(Requested).When(new Release()).ThenRefused("wrong-stage");
        Given(Requested, Accepted, Uploaded, Cancelled).When(new Release()).ThenRefused("wrong-stage");
    }

    [Fact]
    public void Releasing_again_changes_nothing() => Given(RequestedOnDelivery, Accepted, Uploaded, Released, Delivered).When(new Release()).ThenNothing();

    [Fact]
    public void What_was_released_unpaid_is_still_to_be_paid()
    {
        var it = State(RequestedOnDelivery, Accepted, Uploaded, InvoicedInBitcoin, Released, Delivered);
        it.Missing.ShouldBe(Price);
        it.NeedsPayout.ShouldBeFalse();
    }

    [Fact]
    public void The_first_download_of_each_version_is_recorded()
    {
        var download = new RecordDownload(1, Downloaded.FileId);
        Given(DeliveredWork).When(download).Then(Downloaded);
        Given([.. DeliveredWork, Downloaded]).When(download).ThenNothing();
        Given([.. DeliveredWork, Downloaded, UploadedAgain, new CommissionEvent.Delivered(2)])
            .When(download with { ProductVersion = 2 }).Then(Downloaded with { ProductVersion = 2 });
    }

    [Fact]
    public void What_was_not_delivered_is_not_downloaded() => Given(Requested, Accepted, Invoiced, Uploaded).When(new RecordDownload(1, Downloaded.FileId)).ThenNothing();

    [Fact]
    public void A_fresh_link_ends_the_older_ones()
    {
        Given(DeliveredWork).When(new RenewLink(1)).Then(LinkRenewed);
        Given([.. DeliveredWork, LinkRenewed]).When(new RenewLink(2)).Then(new CommissionEvent.DownloadLinkRenewed(3));
    }

    [Fact]
    public void A_link_that_was_renewed_already_is_not_renewed_again() => Given([.. DeliveredWork, LinkRenewed]).When(new RenewLink(1)).ThenNothing();

    [Fact]
    public void There_is_no_link_to_what_was_not_delivered() => Given(Requested, Accepted, Invoiced, Uploaded).When(new RenewLink(1)).ThenRefused("wrong-stage");
}
