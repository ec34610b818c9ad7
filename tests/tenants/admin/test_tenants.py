"""Tenants and their members."""

from django.contrib.auth.models import User
from django.urls import reverse

from tenants.models import Membership, Tenant
from tests.admin_forms import form_in


def change(tenant):
    return reverse("admin:tenants_tenant_change", args=(tenant.pk,))


def test_adds_a_tenant_with_a_member(admin_client, db):
    user = User.objects.create_user("olivia")
    fields = form_in(admin_client.get(reverse("admin:tenants_tenant_add")), "tenant_form")

    admin_client.post(
        reverse("admin:tenants_tenant_add"),
        {**fields, "name": "Acme", "key": "acme", "memberships-TOTAL_FORMS": "1", "memberships-0-user": user.pk},
    )

    assert Membership.objects.get().tenant.key == "acme"


def test_a_forged_post_changes_no_key(admin_client, acme):
    fields = form_in(admin_client.get(change(acme)), "tenant_form")

    admin_client.post(change(acme), {**fields, "name": "New", "key": "forged"})

    acme.refresh_from_db()
    assert (acme.name, acme.key) == ("New", "acme")


def test_a_tenant_with_instances_is_not_deleted_and_the_reason_is_told(admin_client, acme, instance):
    response = admin_client.post(reverse("admin:tenants_tenant_delete", args=(acme.pk,)), {"post": "yes"})

    assert "has instances" in response.content.decode()
    assert Tenant.objects.filter(pk=acme.pk).exists()


def test_the_pages_of_people_open(admin_client, admin_user):
    for name in ("auth_user_changelist", "auth_user_add", "auth_group_changelist"):
        assert admin_client.get(reverse(f"admin:{name}")).status_code == 200
    assert admin_client.get(reverse("admin:auth_user_change", args=(admin_user.pk,))).status_code == 200


def test_contacts_are_addresses_one_a_line(admin_client, acme):
    fields = form_in(admin_client.get(change(acme)), "tenant_form")

    admin_client.post(change(acme), {**fields, "contact_emails": "it@acme.example\r\n\r\nops@acme.example"})
    refused = admin_client.post(change(acme), {**fields, "contact_emails": "it@acme.example\r\nnobody"})

    acme.refresh_from_db()
    assert acme.contact_emails == ["it@acme.example", "ops@acme.example"]
    assert "“nobody” is no e-mail address" in refused.content.decode()


def test_a_member_can_be_spared_mail(admin_client, acme):
    member = Membership.objects.create(tenant=acme, user=User.objects.create_user("olga"))
    fields = form_in(admin_client.get(change(acme)), "tenant_form")
    wanting = {name: value for name, value in fields.items() if not name.endswith("-is_notified")}

    admin_client.post(change(acme), wanting)

    member.refresh_from_db()
    assert not member.is_notified
